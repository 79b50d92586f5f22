import { useMemo, useState } from 'preact/hooks';
import { Link, useSearchParams } from 'wouter-preact';
import { describeReason, formatAgo, formatCount, formatMany } from '../format/index.ts';
import { useLive } from '../live/index.ts';
import { Badge, Confirm, Empty, Notice, Page, Panel, say, useAction } from '../ui/index.ts';
import { groupLetters, type LetterGroup } from './group-letters.ts';
import { LetterTable } from './letter-table.tsx';
import { type Letters, liveLetters } from './live-letters.ts';
import { describeReplay, replayGroup } from './replay.ts';

export function DeadLettersPage() {
  const found = useLive(liveLetters).data.value;
  const groups = useMemo(() => groupLetters(found?.letters ?? []), [found]);
  return (
    <Page title="Dead letters" lead={leadOf(found)}>
      {found?.more === true && (
        <Notice tone="info" title={`The oldest ${formatCount(found.letters.length)} are shown.`}>
          There are more. Replaying a group replays all of it, those that are not shown included.
        </Notice>
      )}
      {found !== undefined && groups.length === 0 && (
        <Panel>
          <Empty title="No call has failed">
            A call whose retries all fail, or that its function refuses, is kept here for a week: with the reason, and
            ready to be replayed when the reason is gone.
          </Empty>
        </Panel>
      )}
      {groups.map((group) => (
        <Group key={group.key} group={group} />
      ))}
    </Page>
  );
}

function leadOf(found: Letters | undefined): string {
  return found === undefined
    ? 'Reading the dead letters'
    : `${formatMany(found.letters.length, 'failed call or callback', 'failed calls and callbacks')}, kept for a week.`;
}

/** One function and one reason. The page's URL says which groups are open. */
function Group({ group }: { group: LetterGroup }) {
  const [params, setParams] = useSearchParams();
  const open = params.getAll('open');
  const isOpen = open.includes(group.key);
  const toggle = (): void => {
    const others = open.filter((key) => key !== group.key);
    const next = new URLSearchParams((isOpen ? others : [...others, group.key]).map((key) => ['open', key]));
    setParams(next, { replace: true });
  };
  const { letters, oldestAt, newestAt, usualStatus, kind } = group;
  return (
    <section class="panel" aria-label={`${group.function}: ${describeReason(group.reason)}`}>
      <div class="spread">
        <h2>
          {describeReason(group.reason)} <span class="quiet">in</span>{' '}
          <Link href={`/functions/${group.function}`}>{group.function}</Link>
        </h2>
        <div class="row">
          <button class="button" type="button" aria-expanded={isOpen} onClick={toggle}>
            {isOpen ? 'Hide' : 'Show'} {formatMany(letters.length, kind)}
          </button>
          <ReplayAll group={group} />
        </div>
      </div>
      <p class="row quiet group-facts">
        <Badge tone="bad">{formatMany(letters.length, kind)}</Badge>
        {usualStatus !== undefined && <span>last status {usualStatus}</span>}
        <span>newest {formatAgo(newestAt)}</span>
        {letters.length > 1 && <span>oldest {formatAgo(oldestAt)}</span>}
      </p>
      {isOpen && <LetterTable letters={letters} />}
    </section>
  );
}

function ReplayAll({ group }: { group: LetterGroup }) {
  const [asking, setAsking] = useState(false);
  const replay = useAction(async () => {
    setAsking(false);
    const done = await replayGroup(group);
    say(done.skipped === 0 ? 'good' : 'warn', describeReplay(done));
    liveLetters.refresh();
  });
  const count = formatMany(group.letters.length, group.kind);
  return (
    <>
      <button class="button main" type="button" disabled={replay.busy} onClick={() => setAsking(true)}>
        {replay.busy ? 'Replaying' : 'Replay all'}
      </button>
      {asking && (
        <Confirm title={`Replay ${count}?`} verb="Replay all" onConfirm={replay.run} onClose={() => setAsking(false)}>
          {group.kind === 'callback'
            ? `The callbacks of ${group.function} are sent again, without calling the function.`
            : `They go back into the queue of ${group.function} with fresh retries, and end with a new result and another callback.`}
        </Confirm>
      )}
    </>
  );
}
