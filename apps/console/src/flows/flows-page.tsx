import { Link, useSearchParams } from 'wouter-preact';
import { may } from '../access/index.ts';
import { formatCount, formatMany } from '../format/index.ts';
import { Empty, Notice, Page, Table, Trouble } from '../ui/index.ts';
import { idOf } from './flow.ts';
import { flowColumns } from './flow-columns.tsx';
import { FlowSearch } from './flow-search.tsx';
import { type FoundFlows, mostFlows, useFlows } from './use-flows.ts';

/** The flow keys that have calls, or that are paused or pinned. The page's URL names the function whose keys are listed. */
export function FlowsPage() {
  const [params] = useSearchParams();
  const name = params.get('function')?.trim() || undefined;
  return (
    <Page
      title="Flow keys"
      lead="Keys whose calls run in order, or so many at once: those that have calls, or are paused or pinned."
    >
      <FlowSearch name={name} />
      <FlowList key={name} name={name} />
    </Page>
  );
}

interface FlowListProps {
  /** Of the function whose keys are listed; undefined for all. */
  readonly name: string | undefined;
}

function FlowList({ name }: FlowListProps) {
  const found = useFlows(name);
  const { flows, problem, more } = found;
  if (problem !== undefined && (flows === undefined || problem.status === 400)) {
    return <Trouble title="The keys cannot be listed.">{problem.message}</Trouble>;
  }
  if (flows === undefined) {
    return (
      <p class="quiet" role="status">
        Reading the keys
      </p>
    );
  }
  return (
    <section class="panel" aria-label="Flow keys that were found">
      <p class="quiet list-head" role="status">
        {describe(flows.length, more)}
      </p>
      <Held found={found} />
      {flows.length > 0 && <Table label="Flow keys" columns={flowColumns} rows={flows} keyOf={idOf} />}
      {flows.length === 0 && !more && <NoKey name={name} />}
      <Further found={found} />
    </section>
  );
}

function describe(count: number, more: boolean): string {
  if (count === 0) {
    return more ? 'No key found so far' : 'No key found';
  }
  return `${formatMany(count, 'key')}${more ? ', and more' : ''}`;
}

/** A list with further pages stands still, so that the reader keeps the place in it. */
function Held({ found: { isHeld, restart } }: { found: FoundFlows }) {
  return isHeld ? (
    <div class="list-note">
      <Notice
        tone="info"
        title="This list shows the keys as they were."
        action={
          <button class="button compact" type="button" onClick={restart}>
            Back to the first page
          </button>
        }
      >
        It stands still while further pages are shown.
      </Notice>
    </div>
  ) : null;
}

function Further({ found: { flows = [], more, loading, loadMore } }: { found: FoundFlows }) {
  if (!more) {
    return null;
  }
  return (
    <div class="list-foot">
      {flows.length >= mostFlows ? (
        <p class="quiet">
          The page shows no more than {formatCount(mostFlows)} keys. Choose a function, or open a key by its name.
        </p>
      ) : (
        <button class="button" type="button" disabled={loading} onClick={loadMore}>
          {loading ? 'Reading' : flows.length === 0 ? 'Search on' : 'Load more'}
        </button>
      )}
    </div>
  );
}

function NoKey({ name }: FlowListProps) {
  if (name !== undefined) {
    return (
      <Empty
        title="No flow key of this function has calls"
        action={
          <Link class="button" href="/flows">
            Show the keys of all functions
          </Link>
        }
      >
        No key of it is paused or pinned either.
      </Empty>
    );
  }
  return (
    <Empty
      title="No flow key has calls"
      action={
        may('admin') && (
          <Link class="button main" href="/functions">
            Send a call to a function
          </Link>
        )
      }
    >
      Calls of a function that are sent with the same <code>X-Flow-Key</code> run one after the other, or as many at
      once as <code>X-Flow-Control</code> or the function says. A key is listed here while it has calls.
    </Empty>
  );
}
