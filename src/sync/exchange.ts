/**
 * One exchange with a peer, whatever carries it: a stream of bytes goes there, a stream of bytes comes back.
 *
 * What the bytes are is said in `README.md`. A carrier knows nothing of it: it takes bytes there in order, says when there
 * are no more, and fails when it cannot.
 * @module
 */

/** Both directions of an exchange, as one of the two sides has them. */
export interface Exchange {
  /** What the other side sends, in pieces of any size; ends when the other side has ended. */
  readonly read: AsyncIterable<Uint8Array>
  /** Settles when there is room for more. The bytes are not to be changed afterwards. */
  write(bytes: Uint8Array): Promise<void>
  /** Says that nothing more will be written. */
  end(): Promise<void>
}

/** An exchange that the asking side has begun, and may have to break off. */
export interface Call extends Exchange {
  /** Lets go of whatever carries it. Does nothing where the exchange has ended by itself. */
  close(): void
}

/** Where a replica can be reached. */
export interface Peer extends AsyncDisposable {
  /** As the user named it, without secrets. */
  readonly url: string
  /**
   * Whether the other side's first bytes may be waited for before one's own last ones are sent. Where requests may be held
   * back until they are whole, as proxies for HTTP do, they may not.
   */
  readonly isInteractive: boolean
  /**
   * Settles when something may have changed there, or the signal says that nobody waits any more. A peer without it is
   * listened to in an exchange.
   */
  changed?(signal: AbortSignal): Promise<void>
  /** Begins an exchange. One at a time. */
  call(): Promise<Call>
}
