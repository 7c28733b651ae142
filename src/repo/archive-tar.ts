/**
 * Archives as tar: ustar headers, and pax records for what does not fit into them, as git writes them.
 *
 *     name 100 | mode 8 | uid 8 | gid 8 | size 12 | mtime 12 | checksum 8 | type 1 | link 100 |
 *     "ustar" 0 "00" | user 32 | group 32 | device 8 + 8 | prefix 155 | 12 unused
 *
 * Numbers are octal text that ends in a NUL. Contents are filled up to blocks of 512 bytes, and two empty blocks are
 * the end. Names are bytes, whatever their encoding.
 * @see POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
 * @module
 */
import { fromLatin1, toLatin1, writeLatin1 } from '../base/bytes.js'
import type { ArchiveEntry } from './archive-entry.js'

const BLOCK = 512
const NAME_BYTES = 100
const PREFIX_BYTES = 155

/** The greatest number of eleven octal digits. */
const GREATEST = 8 ** 11 - 1

const TYPES = { file: '0', executable: '0', symlink: '2', directory: '5', pax: 'x' } as const
const MODES = { file: 0o644, executable: 0o755, symlink: 0o777, directory: 0o755, pax: 0o644 } as const

/** What a header says. Texts are binary strings. */
interface Header {
  readonly name: string
  readonly kind: keyof typeof TYPES
  readonly size: number
  readonly time: number
  readonly link: string
}

/** The bytes of an archive. */
export async function* tarOf(entries: AsyncIterable<ArchiveEntry>): AsyncGenerator<Uint8Array> {
  for await (const { name, kind, content, time } of entries) {
    const link = kind === 'symlink' ? toLatin1(content) : ''
    const size = kind === 'symlink' ? 0 : content.length
    yield headerOf({ name, kind, size, time, link })
    if (size > 0) yield content
    if (size % BLOCK > 0) yield new Uint8Array(BLOCK - (size % BLOCK))
  }
  yield new Uint8Array(2 * BLOCK)
}

/** A header, behind one with records for what it cannot say. */
function headerOf(header: Header): Uint8Array {
  const { name, link, size, time } = header
  const split = splitName(name)
  let records = ''
  if (split === undefined) records += record('path', name)
  if (link.length > NAME_BYTES) records += record('linkpath', link)
  if (size > GREATEST) records += record('size', String(size))
  if (time > GREATEST) records += record('mtime', String(time))
  const own = ustar(header, split ?? { prefix: '', rest: name.slice(0, NAME_BYTES) })
  if (records === '') return own
  const about = `PaxHeaders/${name.slice(name.lastIndexOf('/', name.length - 2) + 1)}`.slice(0, NAME_BYTES)
  const pax = { name: about, kind: 'pax', size: records.length, time, link: '' } as const
  const filled = records.padEnd(Math.ceil(records.length / BLOCK) * BLOCK, '\0')
  return Buffer.concat([ustar(pax, { prefix: '', rest: about }), fromLatin1(filled), own])
}

/** A name in the two parts that a header has room for; undefined where it does not fit. */
function splitName(name: string): { prefix: string; rest: string } | undefined {
  if (name.length <= NAME_BYTES) return { prefix: '', rest: name }
  // The slash of a directory is no place to split at, and goes with the rest.
  const slash = name.indexOf('/', name.length - NAME_BYTES - 1)
  if (slash <= 0 || slash > PREFIX_BYTES || slash === name.length - 1) return undefined
  return { prefix: name.slice(0, slash), rest: name.slice(slash + 1) }
}

/** A record: its own length in decimal digits, those included, key and value. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length
  return `${length}${rest}`
}

function ustar({ kind, size, time, link }: Header, { prefix, rest }: { prefix: string; rest: string }): Uint8Array {
  const block = new Uint8Array(BLOCK)
  writeLatin1(block, rest, 0)
  writeLatin1(block, octal(MODES[kind], 7), 100)
  writeLatin1(block, octal(0, 7), 108)
  writeLatin1(block, octal(0, 7), 116)
  writeLatin1(block, octal(Math.min(size, GREATEST), 11), 124)
  writeLatin1(block, octal(Math.min(time, GREATEST), 11), 136)
  writeLatin1(block, `        ${TYPES[kind]}`, 148)
  writeLatin1(block, link.slice(0, NAME_BYTES), 157)
  writeLatin1(block, 'ustar\x0000root', 257)
  writeLatin1(block, 'root', 297)
  writeLatin1(block, octal(0, 7), 329)
  writeLatin1(block, octal(0, 7), 337)
  writeLatin1(block, prefix, 345)
  // The sum of all bytes, its own place taken for spaces.
  writeLatin1(block, `${octal(sum(block), 6)}\0 `, 148)
  return block
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function sum(block: Uint8Array): number {
  return block.reduce((total, byte) => total + byte, 0)
}
