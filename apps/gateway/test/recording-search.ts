import type { CallFilter } from '@asyncfn/queue-core';
import type { CallSearch, SearchPage } from '@asyncfn/queue-core/jetstream';

/** A search that is told what to answer, and keeps what it was asked. */
export class RecordingSearch implements Pick<CallSearch, 'list'> {
  readonly asked: { readonly filter: CallFilter; readonly options: Parameters<CallSearch['list']>[1] }[] = [];
  page: SearchPage = { calls: [], next: undefined, complete: true };
  /** Searches are answered when it resolves. */
  until: Promise<unknown> = Promise.resolve();

  async list(filter: CallFilter, options: Parameters<CallSearch['list']>[1]): Promise<SearchPage> {
    this.asked.push({ filter, options });
    await this.until;
    return this.page;
  }
}
