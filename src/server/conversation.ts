/**
 * What a server does for those who come, as one function that it is given: the server knows who may do what and how bytes
 * come and go, and nothing of what they mean.
 * @module
 */
import type { ServedRepository } from './served-repository.js'

/** Both directions of a conversation. */
export interface Exchange {
  /** What the other side sends, in pieces of any size; ends when the other side has ended. */
  readonly read: AsyncIterable<Uint8Array>
  /** Settles when there is room for more. The bytes are not to be changed afterwards. */
  write(bytes: Uint8Array): Promise<void>
  /** Says that nothing more will be written. */
  end(): Promise<void>
}

/** What the other side may do. */
export interface Permission {
  readonly read: boolean
  readonly write: boolean
}

/**
 * Holds one conversation to its end, and ends the exchange. What is wrong with the other side it says in the conversation,
 * and throws.
 */
export type Conversation = (
  repository: ServedRepository,
  exchange: Exchange,
  permission: Permission,
) => Promise<unknown>
