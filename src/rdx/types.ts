/**
 * All types by letter, and their functions with the letter as the first argument: `merge('M', [a, b])`.
 *
 * A letter that no type has makes no state valid: `valid` answers false, `check` says so, `string`, `plain` and `merge`
 * answer `undefined`, and `parse`, `tlv` and `delta` throw. U is the older name of N.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { C } from './causal-counter.js'
import { type Fault, faultError, valueError } from './fault.js'
import { F, I, R, S, T } from './first.js'
import { N } from './grow-counter.js'
import { L } from './list.js'
import { M } from './map.js'
import { E } from './set.js'
import { Z } from './two-way-counter.js'
import type { RdxType, TextForm } from './type.js'
import { V } from './vector.js'

/** The types, by letter. */
export const TYPES = { C, E, F, I, L, M, N, R, S, T, V, Z } as const

/** Letters of all types. */
export type TypeLetter = keyof typeof TYPES

/** A type of which nothing is known but that it is one: what it reads as is unknown, and so is what it is made from. */
export type AnyType = RdxType<unknown, unknown, Uint8Array | undefined>

/** The type with a letter, in upper or lower case; `undefined` when there is none. */
export function typeOf(letter: string): AnyType | undefined {
  const upper = letter.toUpperCase()
  const name = upper === 'U' ? 'N' : upper
  // Natives of the wrong kind are refused by the constructors themselves, so that the cast costs no safety.
  return Object.hasOwn(TYPES, name) ? (TYPES[name as TypeLetter] as unknown as AnyType) : undefined
}

function known(letter: string): AnyType {
  const type = typeOf(letter)
  if (type === undefined) throw valueError(`There is no type "${letter}".`)
  return type
}

/** Whether bytes are a state of a type. */
export function valid(letter: string, tlv: Uint8Array): boolean {
  return typeOf(letter)?.valid(tlv) ?? false
}

/** The first rule that bytes break as a state of a type. */
export function check(letter: string, tlv: Uint8Array): Fault | undefined {
  const type = typeOf(letter)
  return type === undefined ? { offset: 0, rule: `there is no type "${letter}"` } : type.check(tlv)
}

/**
 * Refuses bytes that are no state of a type.
 *
 * @throws {CodedError} `BAD_RECORD`, with the `offset` and the `rule` broken in its data.
 */
export function assertValid(letter: string, tlv: Uint8Array): void {
  const fault = check(letter, tlv)
  if (fault !== undefined) throw faultError(fault)
}

/** Text of a state. */
export function string(letter: string, tlv: Uint8Array, form?: TextForm): string | undefined {
  return typeOf(letter)?.string(tlv, form)
}

/** State of a text. Throws `RDX_TEXT`. */
export function parse(letter: string, text: string): Uint8Array {
  return known(letter).parse(text)
}

/** State of a native value. Throws `RDX_VALUE`. */
export function tlv(letter: string, native: unknown): Uint8Array {
  return known(letter).tlv(native)
}

/** Native value of a state. */
export function plain(letter: string, tlv: Uint8Array): unknown {
  return typeOf(letter)?.plain(tlv)
}

/** The change that makes a state read as a native value. Throws `RDX_VALUE`, `CLOCK_EXHAUSTED`. */
export function delta(letter: string, tlv: Uint8Array, native: unknown, src?: bigint): Uint8Array {
  return known(letter).delta(tlv, native, src)
}

/** Merges states; `undefined` where the merge of differing causal counters is refused. */
export function merge(letter: string, tlvs: readonly Uint8Array[]): Uint8Array | undefined {
  return typeOf(letter)?.merge(tlvs)
}

/** What of a state is not covered by a version vector. */
export function diff(letter: string, tlv: Uint8Array, vector: Uint8Array): Uint8Array {
  return typeOf(letter)?.diff(tlv, vector) ?? new Uint8Array(0)
}

/** The state that changes nothing when merged. */
export function empty(letter: string): Uint8Array {
  return typeOf(letter)?.empty() ?? new Uint8Array(0)
}

/** Orders two states of a type. */
export function compare(letter: string, a: Uint8Array, b: Uint8Array): number {
  return (typeOf(letter)?.compare ?? compareBytes)(a, b)
}

/** Version vector of a state. */
export function vector(letter: string, tlv: Uint8Array): Uint8Array {
  return typeOf(letter)?.vector(tlv) ?? new Uint8Array(0)
}
