import { Link, useParams, useSearchParams } from 'wouter-preact';
import { may } from '../access/index.ts';
import type { ApiProblem } from '../api/index.ts';
import { FunctionName, hasEnded, StatusBadge } from '../calls/index.ts';
import { describeReason, formatAgo } from '../format/index.ts';
import { useLiveOf } from '../live/index.ts';
import { Badge, Empty, Notice, Page, Panel, Trouble } from '../ui/index.ts';
import { CallActions } from './call-actions.tsx';
import { CurlPanel } from './curl-panel.tsx';
import { FactsPanel } from './facts-panel.tsx';
import { isOpen, type KnownCall, readCall } from './read-call.ts';
import { ResultPanel } from './result-panel.tsx';
import { toTimeline } from './timeline.ts';
import { TimelinePanel } from './timeline-panel.tsx';

/** How often an open call is read, and one that changes only if a person does something with it. */
const [openMs, endedMs] = [1_000, 5_000];

/** One call: its timeline, its result, and what can be done with it. The page's URL names the token of the call. */
export function CallPage() {
  const { callId = '' } = useParams();
  const [query] = useSearchParams();
  const submitter = query.get('submitter') ?? undefined;
  const live = useLiveOf(
    (signal) => readCall(callId, submitter, signal),
    { everyMs: (known) => (known !== undefined && !isOpen(known) ? endedMs : openMs) },
    [callId, submitter],
  );
  const [known, problem] = [live.data.value, live.problem.value];
  if (problem?.status === 404 || known === undefined) {
    return <NotThere callId={callId} problem={problem} />;
  }
  const { call, letter } = known;
  return (
    <Page
      title={`Call ${callId}`}
      lead={<Lead known={known} />}
      actions={<CallActions known={known} onChanged={() => live.refresh()} />}
    >
      {letter !== undefined && <DeadLetter letter={letter} />}
      <div class="columns call">
        <TimelinePanel
          moments={toTimeline(known)}
          submitter={(call ?? letter)?.submitter}
          {...(isOpen(known) && { aside: 'updated as it happens' })}
        />
        <FactsPanel known={known} />
      </div>
      {call !== undefined && hasEnded(call) && call.status !== 'cancelled' && <ResultPanel call={call} />}
      {call !== undefined && <CurlPanel call={call} />}
    </Page>
  );
}

function Lead({ known: { call, letter } }: { known: KnownCall }) {
  const { function: name, createdAt } = call ?? letter ?? { function: '', createdAt: 0 };
  return (
    <span class="row">
      {call === undefined ? <Badge tone="bad">dead letter</Badge> : <StatusBadge status={call.status} />}
      <span>
        of <FunctionName name={name} />, accepted {formatAgo(createdAt)}
      </span>
    </span>
  );
}

function DeadLetter({ letter }: { letter: NonNullable<KnownCall['letter']> }) {
  const { reason, lastStatus, omitted, kinds } = letter;
  const status = lastStatus === undefined ? '' : ` The last status was ${lastStatus}.`;
  const way =
    omitted === undefined
      ? 'Replay it when the reason is gone: it is kept for a week.'
      : `It cannot be replayed: ${omitted} did not fit into a message of the broker.`;
  return (
    <Notice
      tone="bad"
      title={`${describeReason(reason)}.`}
      action={
        <Link class="button compact" href="/dead-letters">
          Others like it
        </Link>
      }
    >
      {kinds.includes('call') ? 'The call' : 'Its callback'} is a dead letter.{status} {way}
    </Notice>
  );
}

function NotThere({ callId, problem }: { callId: string; problem: ApiProblem | undefined }) {
  if (problem?.status !== 404) {
    return (
      <Page title={`Call ${callId}`}>
        {problem === undefined ? (
          <p class="quiet" role="status">
            Reading the call
          </p>
        ) : (
          <Trouble title="The call cannot be shown.">{problem.message}</Trouble>
        )}
      </Page>
    );
  }
  return (
    <Page title={`Call ${callId}`}>
      <Panel>
        <Empty
          title="Nothing is kept of a call with this id"
          action={
            may('read') && (
              <Link class="button" href="/calls">
                Find calls
              </Link>
            )
          }
        >
          It may have ended more than an hour ago, unless RESULT_TTL says otherwise, or have been erased. Or it is
          another token's call.
        </Empty>
      </Panel>
    </Page>
  );
}
