// The design system: everything that pages are made of. Colours and distances are in `styles/tokens.css`.

export { Badge, Empty, type Fact, Facts, Figures, Notice, Panel, PausedBadge, type Tone, Trouble } from './basics.tsx';
export { Chart } from './chart.tsx';
export { Confirm, Dialog, DialogFoot } from './dialog.tsx';
export { Page } from './page.tsx';
export { Snippet } from './snippet.tsx';
export { type Column, Table } from './table.tsx';
export { say, Toasts } from './toasts.tsx';
export { useAction } from './use-action.ts';
