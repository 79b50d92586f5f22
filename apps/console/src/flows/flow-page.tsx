import type { ComponentChildren } from 'preact';
import { Link, useParams } from 'wouter-preact';
import { useSearch } from 'wouter-preact/use-browser-location';
import { may } from '../access/index.ts';
import { type ApiProblem, api, read } from '../api/index.ts';
import { FunctionName } from '../calls/index.ts';
import { formatCount } from '../format/index.ts';
import { useLiveOf } from '../live/index.ts';
import { Badge, type Fact, Facts, Figures, Notice, Page, Panel, PausedBadge, Trouble } from '../ui/index.ts';
import { describeRate, describeSource, type Flow, type FlowAddress, hrefOfFlows, isFlowKey } from './flow.ts';
import { FlowActions, paramsOf } from './flow-actions.tsx';

const everyMs = 2_000;

/** One flow key: its calls, its limits, and what can be done with it. */
export function FlowPage() {
  const { name = '' } = useParams();
  // As it is in the address bar: the router decodes a query once more than others, and keys may have a percent sign.
  const query = new URLSearchParams(useSearch());
  const [key, submitter] = [query.get('key') ?? '', query.get('submitter') ?? undefined];
  return isFlowKey(key) ? (
    <KnownFlow asked={{ function: name, key, submitter }} />
  ) : (
    <NoFlow flowKey={key} title="This is not a flow key.">
      A key has 1 to 128 visible ASCII characters, and is not <code>.</code> or <code>..</code>
    </NoFlow>
  );
}

function KnownFlow({ asked }: { asked: FlowAddress }) {
  const { function: name, key, submitter } = asked;
  const live = useLiveOf(
    (signal) => read(api.GET('/system/flows/{function}/{key}', { params: paramsOf(asked), signal })),
    { everyMs },
    [name, key, submitter],
  );
  const [flow, problem] = [live.data.value, live.problem.value];
  const isGone = problem?.status === 400 || problem?.status === 404;
  if (flow === undefined || isGone) {
    return <NotThere asked={asked} problem={problem} />;
  }
  // From here on the same key, whatever other tokens have it. One without calls may be that of any token.
  const address = { ...asked, submitter: submitter ?? flow.submitter };
  return (
    <Page
      title={titleOf(key)}
      lead={<Lead flow={flow} />}
      actions={may('admin') && <FlowActions flow={flow} address={address} onChanged={() => live.refresh()} />}
    >
      <Advice flow={flow} />
      <Figures
        figures={[
          { label: 'Waiting', value: formatCount(flow.waiting) },
          { label: 'Running', value: formatCount(flow.running) },
          { label: 'At once', value: formatCount(flow.parallelism) },
          { label: 'Rate', value: describeRate(flow.rate) },
        ]}
      />
      <p class="quiet">
        Running are calls that have their turn: they are ready or run, or wait for a retry or for the rate. The others
        wait in their queue, and take no place in a worker.
      </p>
      <div class="columns">
        <Panel title="Limits">
          <Facts facts={limitsOf(flow)} />
        </Panel>
        <Panel title="Key">
          <Facts facts={factsOf(flow)} />
        </Panel>
      </div>
    </Page>
  );
}

function titleOf(key: string): string {
  return `Flow key ${key}`;
}

function Lead({ flow }: { flow: Flow }) {
  return (
    <span class="row">
      <PausedBadge paused={flow.paused} />
      {flow.pinned && <Badge tone="accent">Pinned</Badge>}
      <span>
        of <FunctionName name={flow.function} />
      </span>
    </span>
  );
}

/** What a reader of the numbers may wonder about. */
function Advice({ flow: { paused, waiting, running } }: { flow: Flow }) {
  if (paused) {
    return (
      <Notice tone="warn" title="The key is paused.">
        No further call of it gets its turn until it is resumed.
      </Notice>
    );
  }
  if (waiting === 0 && running === 0) {
    return (
      <Notice tone="info" title="The key has no open call.">
        The limits are those that its next call would have.
      </Notice>
    );
  }
  return null;
}

function limitsOf(flow: Flow): Fact[] {
  const { parallelism, rate } = flow;
  return [
    { name: 'At once', value: `${formatCount(parallelism)}, ${describeSource(flow, 'parallelism')}` },
    {
      name: 'Rate',
      value: rate === null ? describeRate(rate) : `${describeRate(rate)}, ${describeSource(flow, 'rate')}`,
    },
  ];
}

function factsOf({ function: name, key, submitter, queue }: Flow): Fact[] {
  const calls = new URLSearchParams({ function: name, flowKey: key });
  return [
    { name: 'Queue', value: queue },
    ...(submitter === undefined ? [] : [{ name: 'Token', value: submitter }]),
    { name: 'Calls', value: <Link href={`/calls?${calls}`}>calls with this key</Link> },
    { name: 'Other keys', value: <Link href={hrefOfFlows(name)}>keys of {name}</Link> },
  ];
}

interface NotThereProps {
  readonly asked: FlowAddress;
  readonly problem: ApiProblem | undefined;
}

function NotThere({ asked: { function: name, key }, problem }: NotThereProps) {
  if (problem === undefined) {
    return (
      <Page title={titleOf(key)}>
        <p class="quiet" role="status">
          Reading the key
        </p>
      </Page>
    );
  }
  return (
    <NoFlow flowKey={key} title="The key cannot be shown.">
      {problem.code === 'unknown_function'
        ? `No function with the name ${name} is registered, and no call of it has this key.`
        : problem.message}
    </NoFlow>
  );
}

function NoFlow({ flowKey, title, children }: { flowKey: string; title: string; children: ComponentChildren }) {
  const toList = (
    <Link class="button compact" href="/flows">
      See the flow keys
    </Link>
  );
  return (
    <Page title={titleOf(flowKey)}>
      <Trouble title={title} action={toList}>
        {children}
      </Trouble>
    </Page>
  );
}
