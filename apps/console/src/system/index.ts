// What the gateway says of itself and of the broker.

export { SystemPage } from './system-page.tsx';
