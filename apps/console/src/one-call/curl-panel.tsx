import { access } from '../access/index.ts';
import type { Call } from '../calls/index.ts';
import { toCurl } from '../format/index.ts';
import { Panel, Snippet } from '../ui/index.ts';

/** The same for a shell. A token is left out. */
export function CurlPanel({ call: { callId, submitter } }: { call: Call }) {
  const known = access.value;
  const needsToken = known.kind === 'known' && known.identity.needsToken;
  const query = submitter === undefined ? '' : `?${new URLSearchParams({ submitter })}`;
  const url = `${location.origin}/async-function/${callId}`;
  return (
    <Panel title="With curl">
      <div class="stack tight">
        <Snippet text={toCurl({ url: `${url}${query}`, needsToken })} label="the line that shows the state" />
        <Snippet text={toCurl({ url: `${url}/result${query}`, needsToken })} label="the line that shows the result" />
      </div>
    </Panel>
  );
}
