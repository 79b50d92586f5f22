import type { FileDefinition } from '@asyncfn/queue-core/functions';
import type { SettingsFile } from '@asyncfn/service-kit';
import type { GatewayConfig } from '../../config.ts';
import { WebhookSecrets, type WebhookSecretsOptions } from './webhook-secrets.ts';

export interface OpenSecretsOptions extends Pick<WebhookSecretsOptions, 'register' | 'logger'> {
  /** The functions file; undefined if there is none. */
  readonly file: Pick<SettingsFile<FileDefinition>, 'current'> | undefined;
}

/** The secrets of the webhooks of a gateway, which its component reads. */
export function openSecrets(
  { functionsFile, webhookSecretsDir }: Pick<GatewayConfig, 'functionsFile' | 'webhookSecretsDir'>,
  { file, register, logger }: OpenSecretsOptions,
): WebhookSecrets {
  const places = { functionsFile, definition: () => file?.current, folder: webhookSecretsDir };
  return new WebhookSecrets({ places, register, logger });
}
