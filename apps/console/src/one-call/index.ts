// One call from its acceptance to its end: timeline, result, and what can be done with it.

export { CallPage } from './call-page.tsx';
