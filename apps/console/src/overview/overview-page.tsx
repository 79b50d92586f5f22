import { Link } from 'wouter-preact';
import { api, read } from '../api/index.ts';
import { formatCount, formatRate } from '../format/index.ts';
import { liveFunctions } from '../functions/index.ts';
import { useLive, useLiveOf } from '../live/index.ts';
import { liveQueues, type Queue } from '../queues/index.ts';
import { Empty, Figures, Notice, Page, Panel, Snippet } from '../ui/index.ts';
import { type Facts, findTroubles, type Trouble } from './find-troubles.ts';
import { QueuePanel } from './queue-panel.tsx';

const mostCounted = 1_000;

export function OverviewPage() {
  const queues = useLive(liveQueues).data.value;
  const functions = useLive(liveFunctions).data.value;
  const letters = useLiveOf(countDeadLetters, { everyMs: 5_000 }, []).data.value;
  return (
    <Page title="Overview" lead="The queues as they are now.">
      {queues !== undefined && functions !== undefined && (
        <Troubles facts={{ queues, functions, deadLetters: letters }} />
      )}
      {queues !== undefined && <Totals queues={queues} />}
      {functions?.length === 0 && <NoFunctions />}
      <div class="columns queues">
        {queues?.map((queue) => (
          <QueuePanel key={queue.queue} queue={queue} />
        ))}
      </div>
      {queues === undefined && <p class="quiet">Reading the queues</p>}
    </Page>
  );
}

async function countDeadLetters(signal: AbortSignal) {
  const query = { limit: mostCounted };
  const { deadLetters, cursor } = await read(api.GET('/system/dead-letters', { params: { query }, signal }));
  return { count: deadLetters.length, more: cursor !== undefined };
}

function Troubles({ facts }: { facts: Facts }) {
  const troubles = findTroubles(facts);
  return (
    <section aria-label="What is wrong right now" class="troubles" role="status">
      {troubles.length === 0 && <Notice tone="good" title="Nothing is wrong." />}
      {troubles.map((trouble) => (
        <TroubleNotice key={trouble.title} trouble={trouble} />
      ))}
    </section>
  );
}

function TroubleNotice({ trouble: { tone, title, detail, link } }: { trouble: Trouble }) {
  return (
    <Notice
      tone={tone}
      title={title}
      action={
        <Link class="button compact" href={link.href}>
          {link.text}
        </Link>
      }
    >
      {detail}
    </Notice>
  );
}

function Totals({ queues }: { queues: readonly Queue[] }) {
  const sum = (of: (queue: Queue) => number): number => queues.reduce((total, queue) => total + of(queue), 0);
  return (
    <Figures
      figures={[
        { label: 'Pending', value: formatCount(sum(({ depth }) => depth)) },
        { label: 'Running', value: formatCount(sum(({ inFlight }) => inFlight)) },
        { label: 'Scheduled and retrying', value: formatCount(sum(({ scheduled }) => scheduled)) },
        { label: 'In', value: formatRate(sum(({ rates }) => rates.inPerSecond)), unit: 'a second' },
        { label: 'Out', value: formatRate(sum(({ rates }) => rates.outPerSecond)), unit: 'a second' },
      ]}
    />
  );
}

function NoFunctions() {
  const line = `curl -X PUT ${location.origin}/system/functions/hello -H 'Content-Type: application/json' -d '{"url":"http://127.0.0.1:3000"}'`;
  return (
    <Panel>
      <Empty
        title="No function is registered yet"
        action={
          <>
            <Snippet text={line} label="the line" />
            <Link class="button main" href="/functions">
              Register a function
            </Link>
          </>
        }
      >
        A function is anything with a URL that answers HTTP. Register one, send it a call, and see it here.
      </Empty>
    </Panel>
  );
}
