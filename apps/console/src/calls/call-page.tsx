import { useParams } from 'wouter-preact';
import { api, read } from '../api/index.ts';
import { useLiveOf } from '../live/index.ts';
import { Facts, Page, Panel } from '../ui/index.ts';

/** One call: its timeline, headers, result, and what can be done with it. */
export function CallPage() {
  const { callId = '' } = useParams();
  const { data, problem } = useLiveOf(
    (signal) => read(api.GET('/async-function/{callId}', { params: { path: { callId } }, signal })),
    { everyMs: 2_000 },
    [callId],
  );
  return (
    <Page title={`Call ${callId}`}>
      <Panel title="State">
        {data.value === undefined ? (
          <p class="quiet">{problem.value?.message ?? 'Loading'}</p>
        ) : (
          <Facts facts={Object.entries(data.value).map(([name, value]) => ({ name, value: JSON.stringify(value) }))} />
        )}
      </Panel>
    </Page>
  );
}
