/**
 * Replicated values in files, for the commands of `weft rdx`: read from files or stdin, written as bytes, hex or text.
 *
 * A file holds enveloped records (see rdx/README.md), as they are or, with `--hex`, as hex digits with white space anywhere.
 * @module
 */
import * as Flags from '@oclif/core/flags'
import { fromHex, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { assertRecords, type Enveloped, formatRecords, splitRecords } from '../rdx/records.js'
import { several } from './arguments.js'
import { type Input, nameOf, readInputs } from './inputs.js'
import { write } from './output.js'

/** Arguments and flags that all commands of `weft rdx` take. */
export const files = several('Files to read; - or none reads standard input')
export const hex = Flags.boolean({ summary: 'Read and write bytes as hex digits' })
export const text = Flags.boolean({ summary: 'Print the result as text, not as bytes' })
export const plain = Flags.boolean({ summary: 'Print what is to be seen: no stamps, nothing that was removed' })

/**
 * Reads files that hold records.
 *
 * @throws {CodedError} `INPUT_UNREADABLE`; `BAD_RECORD` where hex is wanted and something else is there.
 */
export async function readTlv(names: readonly string[] | undefined, asHex: boolean): Promise<Input[]> {
  const inputs = await readInputs(names)
  return asHex ? inputs.map(({ name, bytes }) => ({ name, bytes: bytesOfHex(name, bytes) })) : inputs
}

function bytesOfHex(name: string, digits: Uint8Array): Uint8Array {
  const compact = Buffer.from(digits).toString('latin1').replace(/\s+/g, '')
  const bytes = fromHex(compact)
  if (bytes !== undefined) return bytes
  throw new CodedError('BAD_RECORD', `${nameOf(name)} does not hold hex digits.`, { hint: 'Leave --hex out.' })
}

/**
 * The one record that a file must hold.
 *
 * @throws {CodedError} `BAD_RECORD` for bytes that are no records, with the offset, or for another number of them.
 */
export function onlyRecord({ name, bytes }: Input): Enveloped {
  assertRecords(bytes, nameOf(name))
  const records = splitRecords(bytes) ?? []
  const [record] = records
  if (records.length === 1 && record !== undefined) return record
  throw new CodedError('BAD_RECORD', `${nameOf(name)} holds ${records.length} records, and one is wanted.`)
}

/** An answer that is one record, in all its forms. */
export interface RecordAnswer {
  readonly letter: string
  readonly hex: string
  readonly text: string
  readonly plain: string
}

/** The forms of an enveloped record. */
export function answerOf(record: Uint8Array): RecordAnswer {
  const [{ letter, type, tlv }] = splitRecords(record) as [Enveloped]
  return { letter, hex: toHex(record), text: type.string(tlv) ?? '', plain: type.string(tlv, 'plain') ?? '' }
}

/** Writes records in the form that flags ask for. */
export async function writeRecords(
  records: Uint8Array,
  flags: { readonly hex: boolean; readonly text?: boolean; readonly plain?: boolean },
): Promise<void> {
  if (flags.text || flags.plain) await write(formatRecords(records, flags.plain ? 'plain' : 'exact') ?? '')
  else await write(flags.hex ? `${toHex(records)}\n` : records)
}
