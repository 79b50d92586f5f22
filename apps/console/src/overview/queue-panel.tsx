import { formatBytes, formatCount, formatDuration, formatRate } from '../format/index.ts';
import { historyOf, type Queue } from '../queues/index.ts';
import { Badge, Chart, Facts, Panel } from '../ui/index.ts';

/** One queue: what goes in and out, what waits. */
export function QueuePanel({ queue }: { queue: Queue }) {
  const { rates, depth, inFlight, scheduled, oldestAgeSeconds, bytes, maxBytes } = queue;
  const [times, ins, outs, waiting] = historyOf(queue.queue).data;
  return (
    <Panel title={queue.queue} aside={<Badge tone="accent">{`${formatCount(inFlight)} running`}</Badge>}>
      <div class="stack">
        <div class="columns">
          <Chart
            title="Calls a second"
            series={[
              { label: 'in', colour: 'in', latest: formatRate(rates.inPerSecond) },
              { label: 'out', colour: 'out', latest: formatRate(rates.outPerSecond) },
            ]}
            data={[times, ins ?? [], outs ?? []]}
          />
          <Chart
            title="Pending calls"
            whole
            series={[{ label: 'waiting', colour: 'waiting', latest: formatCount(depth) }]}
            data={[times, waiting ?? []]}
          />
        </div>
        <Facts
          facts={[
            { name: 'Oldest waits', value: depth === 0 ? 'nothing waits' : formatDuration(oldestAgeSeconds * 1_000) },
            { name: 'Scheduled', value: formatCount(scheduled) },
            {
              name: 'Space',
              value: `${formatBytes(bytes)}${maxBytes === null ? ', no limit' : ` of ${formatBytes(maxBytes)}`}`,
            },
          ]}
        />
      </div>
    </Panel>
  );
}
