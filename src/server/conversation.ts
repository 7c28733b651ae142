/**
 * What a server does for those who come, as one function that it is given: the server knows who may do what and how bytes
 * come and go, and nothing of what they mean.
 * @module
 */
import type { Permission } from '../sync/answer.js'
import type { Exchange } from '../sync/exchange.js'
import type { ServedRepository } from './served-repository.js'

/**
 * Holds one conversation to its end, and ends the exchange. What is wrong with the other side it says in the conversation,
 * and throws.
 */
export type Conversation = (
  repository: ServedRepository,
  exchange: Exchange,
  permission: Permission,
) => Promise<unknown>
