// Finding calls, and one call from its acceptance to its end.

export { CallPage } from './call-page.tsx';
export { CallsPage } from './calls-page.tsx';
export { SendCall } from './send-call.tsx';
