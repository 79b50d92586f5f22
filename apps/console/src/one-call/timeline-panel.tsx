import { Link } from 'wouter-preact';
import { hrefOf } from '../calls/index.ts';
import { formatDuration, formatTime } from '../format/index.ts';
import { Panel } from '../ui/index.ts';
import type { Moment } from './timeline.ts';

interface TimelinePanelProps {
  readonly moments: readonly Moment[];
  /** Name of the token that the call belongs to. */
  readonly submitter: string | undefined;
  readonly aside?: string;
}

/** What has happened to a call, in order. */
export function TimelinePanel({ moments, submitter, aside }: TimelinePanelProps) {
  return (
    <Panel title="Timeline" aside={aside !== undefined && <span class="small quiet">{aside}</span>}>
      <ol class="timeline">
        {moments.map((moment) => (
          <TimelineItem key={moment.key} moment={moment} submitter={submitter} />
        ))}
      </ol>
    </Panel>
  );
}

/** Shorter waits are not worth a line. */
const leastWaitMs = 100;

function TimelineItem({ moment, submitter }: { moment: Moment; submitter: string | undefined }) {
  const { title, tone, answer, detail, waitedMs = 0, callId, due = false } = moment;
  return (
    <>
      {waitedMs >= leastWaitMs && <li class="wait small quiet">waited {formatDuration(waitedMs)}</li>}
      <li class={`moment ${tone} ${due ? 'due' : ''}`}>
        <div class="spread">
          <span class="row">
            <strong>{title}</strong>
            {answer !== undefined && <span class={`answer code ${tone}`}>{answer}</span>}
          </span>
          <When moment={moment} />
        </div>
        {detail !== undefined && <p class="small quiet">{detail}</p>}
        {callId !== undefined && (
          <Link class="code small" href={hrefOf({ callId, submitter })}>
            {callId}
          </Link>
        )}
      </li>
    </>
  );
}

function When({ moment: { at, due = false } }: { moment: Moment }) {
  if (at === undefined) {
    return null;
  }
  const waitMs = Date.parse(at) - Date.now();
  const words = due && waitMs > 0 ? `in ${formatDuration(waitMs)}` : formatTime(at);
  return (
    <time class="small quiet" datetime={at} title={at}>
      {words}
    </time>
  );
}
