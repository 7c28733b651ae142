/**
 * Extra records: named bytes that a header or a note has no field for.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { TlvReader, type TlvWriter } from '../rdx/tlv.js'

/** A named record. */
export interface Extra {
  readonly name: string
  readonly value: Uint8Array
}

/** Name of the extra in which a header says of which git commit the version was made, and the note what else that had. */
export const GIT_EXTRA = 'git'

/** The value of an extra record; undefined where there is none of that name. */
export function extraOf({ extra }: { readonly extra: readonly Extra[] }, name: string): Uint8Array | undefined {
  return extra.find((one) => one.name === name)?.value
}

/** @param extra - In byte order of the names. */
export function writeExtra(out: TlvWriter, extra: readonly Extra[]): void {
  for (const { name, value } of extra) out.begin('X').latin1('N', name).record('V', value).end()
}

/**
 * Reads the extra records that come next.
 *
 * @throws {CodedError} `BAD_RECORD` unless they are in order, each name once.
 */
export function readExtra(reader: TlvReader): Extra[] {
  const extra: Extra[] = []
  for (let body = reader.optional('X'); body !== undefined; body = reader.optional('X')) {
    const inner = new TlvReader(body)
    const name = toLatin1(inner.expect('N'))
    const last = extra.at(-1)
    if (last !== undefined && last.name >= name) {
      throw new CodedError('BAD_RECORD', 'Extra records are out of order.')
    }
    extra.push({ name, value: inner.expect('V') })
    inner.end()
  }
  return extra
}
