// Lists calls by what they are about: those that live and those that have ended, newest first, without any write.

export { CallSearch, type CallSearchDependencies } from './call-search.ts';
export { type LivingCall, LivingCalls } from './living-calls.ts';
export type { SearchPage, SearchPosition } from './search-page.ts';
