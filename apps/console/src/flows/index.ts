// The flow keys: their list, and one with its limits and what can be done with it.

export { hrefOfFlow, hrefOfFlows } from './flow.ts';
export { FlowPage } from './flow-page.tsx';
export { FlowsPage } from './flows-page.tsx';
