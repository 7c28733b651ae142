/**
 * What a replicated type is: ten functions on its states, and what composition, streams and the text form need beside.
 *
 * A state is the *bare* bytes of a value, without the envelope: `32 08 05 15`, not `69 04 32 08 05 15`. States are never
 * changed: every function answers new bytes, or the very bytes it was given.
 *
 * Only `parse`, `tlv` and `delta` throw, a `CodedError`. All others take any bytes: `merge` skips an input that is not
 * valid, `diff` and `delta` take it for the empty state, `string` and `plain` answer `undefined`.
 *
 * Laws, for canonical states x, y, z, text t and native value v:
 *
 *     parse(string(x)) = x                            merge([x, x]) = x
 *     string(parse(t)) = t                            merge([x, y]) = merge([y, x])
 *     plain(tlv(v)) = v                               merge([merge([x, y]), z]) = merge([x, merge([y, z])]) = merge([x, y, z])
 *     plain(merge([x, delta(x, v)])) = v              merge([x, empty()]) = x
 *     merge([y, diff(x, vector(y))]) = merge([y, x])  for states of one history; see `diff`
 * @module
 */
import type { Fault } from './fault.js'
import { TextReader } from './text.js'
import { type Letter, TlvWriter } from './tlv.js'

/** `exact` text has the stamps and everything hidden, and is read back to the same bytes. `plain` text is what a person sees. */
export type TextForm = 'exact' | 'plain'

/**
 * A replicated type.
 *
 * @typeParam Plain - The native value that a state is read as.
 * @typeParam Given - The native values that states are made from.
 * @typeParam Merged - `Uint8Array`; the causal counter alone has merges that are refused.
 */
export interface RdxType<Plain, Given = Plain, Merged = Uint8Array> {
  readonly letter: Letter

  /** Whether the bytes are a state. Total. */
  valid(tlv: Uint8Array): boolean
  /** The first rule that the bytes break, with its offset; `undefined` for a state. Total: `valid` with the reason. */
  check(tlv: Uint8Array): Fault | undefined
  /** Text of a state, `undefined` for bytes that are none, and where it would be longer than a string can be. */
  string(tlv: Uint8Array, form?: TextForm): string | undefined
  /**
   * State of a text, in the exact form or in the plain one, whose stamps are {0,0}.
   *
   * @throws {CodedError} `RDX_TEXT`, with `line` and `column` in its data.
   */
  parse(text: string): Uint8Array
  /**
   * State of a native value, stamped {0,0}.
   *
   * @throws {CodedError} `RDX_VALUE` for a value that the type does not have.
   */
  tlv(native: Given): Uint8Array
  /** Native value of a state; `undefined` for bytes that are none, and for a lone element that is a tombstone. */
  plain(tlv: Uint8Array): Plain | undefined
  /**
   * The change that turns a state into one that reads as `native`: `empty()` when it does already.
   *
   * @param src - Author of the change.
   * @throws {CodedError} `RDX_VALUE` for a value that the type does not have, or one that no delta can reach.
   * @throws {CodedError} `CLOCK_EXHAUSTED` when no revision is left.
   */
  delta(tlv: Uint8Array, native: Given, src?: bigint): Uint8Array
  /** Merges states in any order and number. Bytes that are no state are skipped. Canonical, `empty()` for no states. */
  merge(tlvs: readonly Uint8Array[]): Merged
  /**
   * What of a state someone lacks who has seen all revisions up to those of a version vector.
   *
   * That holds between states of one history: an author never gives one stamp to two contents, and who has seen one
   * revision of an author has seen all earlier ones.
   *
   * @param vector - A state of type V; other bytes count as the empty vector.
   */
  diff(tlv: Uint8Array, vector: Uint8Array): Uint8Array
  /** The state that changes nothing when merged. */
  empty(): Uint8Array
  /** A total order of all byte strings; 0 only for states that are the same, or are one element of a set. */
  compare(a: Uint8Array, b: Uint8Array): number
  /** Version vector of a state, a state of type V: the greatest |rev| of every author. */
  vector(tlv: Uint8Array): Uint8Array

  /** Reads a text from where the reader stands and appends the bare state. Throws as `parse`. */
  read(reader: TextReader, writer: TlvWriter): void
}

/** What a type has of its own; `completeType` adds what follows from it. */
export type TypeCore<Plain, Given, Merged> = Omit<RdxType<Plain, Given, Merged>, 'valid' | 'parse'>

/** Makes a type of what it has of its own. */
export function completeType<Plain, Given = Plain, Merged = Uint8Array>(
  core: TypeCore<Plain, Given, Merged>,
): RdxType<Plain, Given, Merged> {
  return {
    ...core,
    valid: (tlv) => core.check(tlv) === undefined,
    parse: (text) => {
      const reader = new TextReader(text)
      // The bytes of a value are seldom more than its text.
      const writer = new TlvWriter(text.length + 16)
      core.read(reader, writer)
      reader.end()
      return writer.copy()
    },
  }
}
