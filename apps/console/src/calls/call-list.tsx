import { Link } from 'wouter-preact';
import { may } from '../access/index.ts';
import { formatCount, formatMany } from '../format/index.ts';
import { Empty, Notice, Table, Trouble } from '../ui/index.ts';
import { BulkCancel } from './bulk-cancel.tsx';
import { columnsFor } from './call-columns.tsx';
import { type CallFilter, isSame, noFilter } from './call-filter.ts';
import { type FoundCalls, mostCalls, useCalls } from './use-calls.ts';

interface CallListProps {
  readonly filter: CallFilter;
  readonly onFilter: (filter: CallFilter) => void;
}

/** The calls of a filter. */
export function CallList({ filter, onFilter }: CallListProps) {
  const found = useCalls(filter);
  const { calls, problem } = found;
  if (problem !== undefined && (calls === undefined || problem.status === 400)) {
    return <Trouble title="The calls cannot be listed.">{problem.message}</Trouble>;
  }
  if (calls === undefined) {
    return (
      <p class="quiet" role="status">
        Searching
      </p>
    );
  }
  return (
    <section class="panel" aria-label="Calls that were found">
      <div class="spread list-head">
        <p class="quiet" role="status">
          {describe(found, calls.length)}
        </p>
        <BulkCancel query={found.query} calls={calls} onChanged={found.toNewest} />
      </div>
      <Newer found={found} />
      {calls.length > 0 && (
        <Table
          label="Calls"
          columns={columnsFor(filter, onFilter)}
          rows={calls}
          keyOf={({ submitter = '', callId, createdAt }) => `${submitter}/${callId}/${createdAt}`}
        />
      )}
      {calls.length === 0 && !found.more && <NothingFound filter={filter} onFilter={onFilter} />}
      <Further found={found} count={calls.length} />
    </section>
  );
}

function describe({ more }: FoundCalls, count: number): string {
  return count === 0
    ? more
      ? 'No call found so far'
      : 'No call found'
    : `${formatMany(count, 'call')}${more ? ', and more' : ''}`;
}

/** A list with further pages stands still, so that the reader keeps the place in it. */
function Newer({ found: { newer, toNewest } }: { found: FoundCalls }) {
  return newer === undefined ? null : (
    <div class="list-note">
      <Notice
        tone="info"
        title={
          newer === 0 ? 'This list shows the calls as they were.' : `${formatCount(newer)} or more calls are newer.`
        }
        action={
          <button class="button compact" type="button" onClick={toNewest}>
            Back to the newest
          </button>
        }
      >
        It stands still while further pages are shown.
      </Notice>
    </div>
  );
}

/** The way on, and an honest sentence about what was not looked at. */
function Further({ found, count }: { found: FoundCalls; count: number }) {
  const { more, complete, loading, loadMore } = found;
  if (count >= mostCalls) {
    return (
      <div class="list-foot">
        <p class="quiet">
          The page shows no more than {formatCount(mostCalls)} calls. Use the filters to find older ones.
        </p>
      </div>
    );
  }
  return (
    <>
      {!complete && (
        <div class="list-foot" role="status">
          <Notice tone="warn" title="Not all calls have been searched.">
            {more
              ? 'A search takes two seconds at most. Older calls that match may follow.'
              : 'There are more calls than the gateway can remember. The oldest are left out.'}
          </Notice>
        </div>
      )}
      {more && (
        <div class="list-foot">
          <button class="button" type="button" disabled={loading} onClick={loadMore}>
            {loading ? 'Searching' : complete ? 'Load more' : 'Search on'}
          </button>
        </div>
      )}
    </>
  );
}

function NothingFound({ filter, onFilter }: CallListProps) {
  if (isSame(filter, noFilter)) {
    return (
      <Empty
        title="No call yet"
        action={
          may('admin') && (
            <Link class="button main" href="/functions">
              Send a call to a function
            </Link>
          )
        }
      >
        A call is listed here from the moment that it is accepted until an hour after its end, unless RESULT_TTL says
        otherwise.
      </Empty>
    );
  }
  return (
    <Empty
      title="No call matches"
      action={
        <div class="row">
          <button class="button" type="button" onClick={() => onFilter(noFilter)}>
            Show all calls
          </button>
          {may('admin') && (
            <Link class="button" href="/dead-letters">
              See the dead letters
            </Link>
          )}
        </div>
      }
    >
      Calls that have ended are found for an hour, unless RESULT_TTL says otherwise. Failed ones are kept as dead
      letters for a week.
    </Empty>
  );
}
