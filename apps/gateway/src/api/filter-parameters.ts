import { Type } from 'typebox';

/** Parameters and fields that select calls or dead letters, as clients see them in several resources. */
export const functionParameter = Type.Optional(
  Type.String({
    description: '`NAME` or `NAME.NAMESPACE`',
    pattern: '^[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})?$',
    examples: ['thumbnail'],
  }),
);

export const queueParameter = Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$', examples: ['default'] }));

export const labelParameter = Type.Optional(
  Type.String({
    description: 'One label of the call.',
    pattern: '^[A-Za-z0-9._=:-]{1,64}$',
    examples: ['customer=7'],
  }),
);

const time = { format: 'date-time', examples: ['2026-01-31T12:00:00Z'] };

export const timeParameters = {
  from: Type.Optional(Type.String({ ...time, description: 'Accepted at this time or later (RFC 3339).' })),
  to: Type.Optional(Type.String({ ...time, description: 'Accepted at this time or earlier (RFC 3339).' })),
};
