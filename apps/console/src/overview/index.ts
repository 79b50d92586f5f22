// The first page: what is wrong right now, and the load of each queue.

export { OverviewPage } from './overview-page.tsx';
