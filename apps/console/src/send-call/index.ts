// The form that sends a call to a function.

export { SendCall } from './send-call.tsx';
