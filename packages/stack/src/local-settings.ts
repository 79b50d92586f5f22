/** Settings of every process: free ports of this machine. */
export const localSettings = {
  HOST: '127.0.0.1',
  PORT: '0',
  OPS_PORT: '0',
  // Receivers of callbacks are on this machine.
  CALLBACK_ALLOW: '127.0.0.0/8,::1',
} as const;
