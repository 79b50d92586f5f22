import { addressBlock, isPublicAddress } from '@asyncfn/queue-core/callback-guard';

/** Where a request comes from. */
export interface Sender {
  /** The block of addresses that one party usually has. */
  readonly block: string;
  /** False for the address of a proxy in front, which all partners share. */
  readonly isPublic: boolean;
}

/** @param peer address of the client's end of the connection; undefined if it is closed */
export function senderOf(peer: string | undefined): Sender {
  const address = (peer ?? '').replace(/^::ffff:(?=\d+\.)/, '');
  return { block: addressBlock(address), isPublic: isPublicAddress(address) };
}
