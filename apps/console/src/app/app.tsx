import { useEffect } from 'preact/hooks';
import { access, followAccess } from '../access/index.ts';
import { Toasts } from '../ui/index.ts';
import { CannotAsk } from './cannot-ask.tsx';
import { Frame } from './frame.tsx';
import { SignIn } from './sign-in.tsx';

export function App() {
  useEffect(followAccess, []);
  return (
    <>
      <Content />
      <Toasts />
    </>
  );
}

function Content() {
  const known = access.value;
  switch (known.kind) {
    case 'unknown':
      return (
        <main class="center quiet" aria-busy="true">
          Connecting to the gateway
        </main>
      );
    case 'token-wanted':
      return <SignIn refused={known.refused} />;
    case 'failed':
      return <CannotAsk problem={known.problem} />;
    case 'known':
      return <Frame />;
  }
}
