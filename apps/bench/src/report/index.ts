// The report.

export { toMarkdown, toNumber } from './markdown.ts';
export type { ScenarioResult } from './report.ts';
