import { Link } from 'wouter-preact';
import { may } from '../access/index.ts';
import { type Call, hrefOf } from '../calls/index.ts';
import { hrefOfFlow } from '../flows/index.ts';
import { formatCount, formatDuration, formatMany } from '../format/index.ts';
import { type Fact, Facts, Panel } from '../ui/index.ts';
import type { KnownCall } from './read-call.ts';

/** What the call is, and what belongs to it. */
export function FactsPanel({ known: { call, letter } }: { known: KnownCall }) {
  const facts = call === undefined ? (letter === undefined ? [] : factsOfLetter(letter)) : factsOf(call);
  return (
    <Panel title="Call">
      <Facts facts={facts} />
    </Panel>
  );
}

function factsOf(call: Call): Fact[] {
  const { callId, submitter, queue, attempts, maxRetries, durationMs, functionStatus, labels, redirectedTo } = call;
  const made = `${formatCount(attempts)}, with up to ${formatMany(maxRetries, 'retry', 'retries')}`;
  return [
    ...named('Queue', queue),
    ...named('Token', submitter),
    ...named('Labels', labels && <Labels labels={labels} />),
    ...named('Flow key', call.flowKey && <FlowLink call={call} flowKey={call.flowKey} />),
    ...named('Attempts', made),
    ...named('Last status', functionStatus),
    ...named('Last attempt', durationMs === undefined ? undefined : `took ${formatDuration(durationMs)}`),
    ...named('Redirected to', redirectedTo),
    ...named('Replays', call.replays),
    ...named('Follows', call.parentId && <CallLink of={call} callId={call.parentId} />),
    ...named(
      'First of its chain',
      call.rootId && call.rootId !== callId ? <CallLink of={call} callId={call.rootId} /> : undefined,
    ),
    ...named('Then', call.then?.join(', ')),
    ...named('Next step', call.next && <CallLink of={call} callId={call.next} />),
    ...named('Batch', call.batchId && <Search name="batch" id={call.batchId} text={call.batchId} />),
    ...named('Followed by', may('read') ? <Search name="parent" id={callId} text="calls that follow it" /> : undefined),
    ...named('Callback', call.callback && `${call.callback.status}, ${call.callback.url}`),
  ];
}

function factsOfLetter({
  queue,
  submitter,
  labels,
  path,
  callbackUrl,
  bytes,
  attempts,
}: NonNullable<KnownCall['letter']>) {
  return [
    ...named('Queue', queue),
    ...named('Token', submitter),
    ...named('Labels', labels && <Labels labels={labels} />),
    ...named('Attempts', attempts),
    ...named('Path', path),
    ...named('Callback', callbackUrl),
    ...named('Body', `${formatCount(bytes)} bytes`),
  ];
}

/** No line for what there is not. */
function named(name: string, value: Fact['value'] | undefined): Fact[] {
  return value === undefined ? [] : [{ name, value }];
}

/** The calls of a chain belong to the same token. */
function CallLink({ of, callId }: { of: Call; callId: string }) {
  return (
    <Link class="code" href={hrefOf({ ...of, callId })}>
      {callId}
    </Link>
  );
}

function Search({ name, id, text }: { name: 'batch' | 'parent' | 'label'; id: string; text: string }) {
  return may('read') ? <Link href={`/calls?${new URLSearchParams({ [name]: id })}`}>{text}</Link> : <span>{text}</span>;
}

function FlowLink({ call: { function: name, submitter = '' }, flowKey: key }: { call: Call; flowKey: string }) {
  return may('read') ? (
    <Link class="code" href={hrefOfFlow({ function: name, key, submitter })}>
      {key}
    </Link>
  ) : (
    <code>{key}</code>
  );
}

function Labels({ labels }: { labels: readonly string[] }) {
  return (
    <span class="row">
      {labels.map((label) => (
        <Search key={label} name="label" id={label} text={label} />
      ))}
    </span>
  );
}
