import type { ComponentType } from 'preact';
import type { Scope } from '../access/index.ts';
import { CallsPage } from '../calls/index.ts';
import { DeadLettersPage } from '../dead-letters/index.ts';
import { FlowPage, FlowsPage } from '../flows/index.ts';
import { FunctionPage, FunctionsPage } from '../functions/index.ts';
import { CallPage } from '../one-call/index.ts';
import { OverviewPage } from '../overview/index.ts';
import { SystemPage } from '../system/index.ts';

export interface PageRoute {
  /** Below `/console`. */
  readonly path: string;
  readonly component: ComponentType;
  /** What the caller needs for it. */
  readonly scope: Scope | 'any';
  /** In the navigation. Pages without it are reached by links. */
  readonly title?: string;
}

export const pages: readonly PageRoute[] = [
  { path: '/', component: OverviewPage, scope: 'admin', title: 'Overview' },
  { path: '/functions', component: FunctionsPage, scope: 'admin', title: 'Functions' },
  { path: '/functions/:name', component: FunctionPage, scope: 'admin' },
  { path: '/calls', component: CallsPage, scope: 'any', title: 'Calls' },
  { path: '/calls/:callId', component: CallPage, scope: 'any' },
  { path: '/flows', component: FlowsPage, scope: 'read', title: 'Flow keys' },
  { path: '/flows/:name', component: FlowPage, scope: 'read' },
  { path: '/dead-letters', component: DeadLettersPage, scope: 'admin', title: 'Dead letters' },
  { path: '/system', component: SystemPage, scope: 'admin', title: 'System' },
];
