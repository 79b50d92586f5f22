import { Panel, Snippet } from '../ui/index.ts';

/** A form that sends a call to a function and follows it. The page of a function shows it. */
export function SendCall({ name }: { name: string }) {
  const line = `curl -i ${location.origin}/async-function/${name} -d 'hello'`;
  return (
    <Panel title="Send a call">
      <Snippet text={line} label="the line" />
    </Panel>
  );
}
