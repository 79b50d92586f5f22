import { Link } from 'wouter-preact';
import { hrefOf } from '../calls/index.ts';
import { formatBytes, formatCount, formatTime } from '../format/index.ts';
import { type Column, say, Table, useAction } from '../ui/index.ts';
import type { Letter } from './group-letters.ts';
import { liveLetters } from './live-letters.ts';
import { dropOne, replayOne } from './replay.ts';

const columns: readonly Column<Letter>[] = [
  {
    key: 'call',
    title: 'Call',
    show: ({ callId, submitter, labels = [] }) => (
      <>
        <Link class="code" href={hrefOf({ callId, submitter })}>
          {callId}
        </Link>
        {submitter !== undefined && <span class="small quiet">by {submitter}</span>}
        {labels.length > 0 && <span class="one-line small quiet">{labels.join(', ')}</span>}
      </>
    ),
  },
  {
    key: 'ended',
    title: 'Failed',
    sortBy: ({ endedAt }) => endedAt,
    show: ({ endedAt }) => <time datetime={endedAt}>{formatTime(endedAt)}</time>,
  },
  {
    key: 'attempts',
    title: 'Attempts',
    number: true,
    wide: true,
    sortBy: ({ attempts }) => attempts,
    show: ({ attempts }) => formatCount(attempts),
  },
  {
    key: 'status',
    title: 'Status',
    number: true,
    wide: true,
    sortBy: ({ lastStatus = 0 }) => lastStatus,
    show: ({ lastStatus }) => lastStatus ?? 'none',
  },
  {
    key: 'bytes',
    title: 'Body',
    number: true,
    wide: true,
    sortBy: ({ bytes }) => bytes,
    show: ({ bytes }) => formatBytes(bytes),
  },
  { key: 'actions', title: 'Actions', show: (letter) => <Actions letter={letter} /> },
];

export function LetterTable({ letters }: { letters: readonly Letter[] }) {
  return (
    <Table
      label="Dead letters"
      columns={columns}
      rows={letters}
      keyOf={({ callId, submitter = '' }) => `${submitter}/${callId}`}
    />
  );
}

function Actions({ letter }: { letter: Letter }) {
  const replay = useAction(async () => {
    await replayOne(letter);
    say('good', 'The call is queued again.');
    liveLetters.refresh();
  });
  const drop = useAction(async () => {
    await dropOne(letter);
    say('good', 'The dead letter is dropped.');
    liveLetters.refresh();
  });
  const busy = replay.busy || drop.busy;
  return (
    <div class="row">
      <button class="button compact" type="button" disabled={busy || letter.omitted !== undefined} onClick={replay.run}>
        Replay<span class="only-heard"> {letter.callId}</span>
      </button>
      <button class="button compact danger" type="button" disabled={busy} onClick={drop.run}>
        Drop<span class="only-heard"> {letter.callId}</span>
      </button>
    </div>
  );
}
