/**
 * The note of a version: what it says in words, and what else was said where it came from.
 *
 *     m  message
 *     x  extra: n name, v value. Repeated, in byte order of the names
 *
 * Text is bytes, and not necessarily UTF-8. A version with neither has no note. It is an entry like any other that the
 * version adds, in a group of its own, and so in the root that the header signs. It is not in the header because whoever
 * asks who put a line reads very many headers: with the notes apart, half as many bytes.
 * @module
 */
import { CodedError } from '../base/error.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'
import { type Extra, extraOf, readExtra, writeExtra } from './extra.js'

/** Name of the extra that holds the conflicts a version was committed with (conflict.ts). */
export const CONFLICTS_EXTRA = 'conflicts'

/** The extra of a version that joins others, and is shown as if it had only its first parent. */
export const SQUASH_EXTRA: Extra = { name: 'squash', value: Uint8Array.of(1) }

/** Whether a version is shown as if it had only its first parent. */
export function isSquashed(note: Note): boolean {
  return extraOf(note, SQUASH_EXTRA.name) !== undefined
}

/** What a version says. */
export interface Note {
  readonly message: Uint8Array
  readonly extra: readonly Extra[]
}

/** That of a version without an entry for it. */
export const NO_NOTE: Note = { message: new Uint8Array(0), extra: [] }

/** The value of a note's entry; undefined where there is nothing to say. */
export function encodeNote({ message, extra }: Note): Uint8Array | undefined {
  if (message.length === 0 && extra.length === 0) return undefined
  const out = new TlvWriter(message.length + 16).record('M', message)
  writeExtra(out, extra)
  return out.copy()
}

/** @throws {CodedError} `BAD_RECORD` for bytes that `encodeNote` does not write. */
export function decodeNote(value: Uint8Array): Note {
  const reader = new TlvReader(value)
  const note = { message: reader.expect('M'), extra: readExtra(reader) }
  reader.end()
  if (note.message.length > 0 || note.extra.length > 0) return note
  throw new CodedError('BAD_RECORD', 'A note says nothing, and should not be there.')
}
