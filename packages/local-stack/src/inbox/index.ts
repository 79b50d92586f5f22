// The inbox: a receiver of callbacks with a page.

export { createInbox } from './inbox.ts';
