import type { EventListener, EventRelease } from '@asyncfn/queue-core/jetstream';
import type { EventSource } from '../src/events/event-feed.ts';

/** Events without a broker: a test says what happens. */
export class MemoryEvents {
  available = true;
  isOpen = false;
  #listener: EventListener | undefined;

  subscribe(listener: EventListener): EventSource {
    this.#listener = listener;
    const isAvailable = (): boolean => this.available;
    const setOpen = (isOpen: boolean): void => {
      this.isOpen = isOpen;
    };
    return {
      get available() {
        return isAvailable();
      },
      open: async () => setOpen(true),
      close: () => setOpen(false),
    };
  }

  happen(events: EventRelease['events'], missed: EventRelease['missed'] = {}): void {
    this.#listener?.receive({ events, missed });
  }

  lose(): void {
    this.#listener?.lost('broker_unavailable');
  }
}
