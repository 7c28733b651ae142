/**
 * LevelDB's log files (`*.log`, and `MANIFEST-*` too), read without LevelDB: frames and checksums only.
 *
 * A log is a sequence of blocks of 32 KiB; a record is cut where a block ends:
 *
 *     +------------+------------+----------+-----------
 *     | crc32c (4) | length (2) | type (1) | bytes ...     type: 1 whole, 2 first, 3 middle, 4 last part
 *     +------------+------------+----------+-----------    fewer than 7 bytes at the end of a block are padding
 *
 * Integers are little-endian.
 * @see doc/log_format.txt of LevelDB 1.20.
 * @module
 */
import { crcHolds } from './crc32c.js'

const LOG_BLOCK = 32768
const LOG_HEADER = 7

/** What a log holds. */
export interface LogContent {
  /** The records before the first fault. */
  readonly records: Uint8Array[]
  /** Where the first fault is, if there is one. */
  readonly fault: number | undefined
  /** A sound part of a record begins after the fault, so this is not just a write that was cut short. */
  readonly more: boolean
}

/** Reads a log, stopping at the first fault. */
export function readLog(bytes: Uint8Array): LogContent {
  const records: Uint8Array[] = []
  let parts: Uint8Array[] | undefined
  let at = 0
  while (at < bytes.length) {
    const left = LOG_BLOCK - (at % LOG_BLOCK)
    if (left < LOG_HEADER) {
      at += left
      continue
    }
    const part = logPart(bytes, at)
    if (part === undefined) return { records, fault: at, more: soundAfter(bytes, at) }
    const starts = part.type === 1 || part.type === 2
    if (starts !== (parts === undefined)) return { records, fault: at, more: true }
    parts = [...(parts ?? []), part.body]
    if (part.type === 1 || part.type === 4) {
      records.push(parts.length === 1 ? part.body : Buffer.concat(parts))
      parts = undefined
    }
    at += LOG_HEADER + part.body.length
  }
  return { records, fault: parts === undefined ? undefined : at, more: false }
}

function logPart(bytes: Uint8Array, at: number): { type: number; body: Uint8Array } | undefined {
  const body = at + LOG_HEADER
  if (body > bytes.length) return undefined
  const end = body + (bytes[at + 4]! | (bytes[at + 5]! << 8))
  const type = bytes[at + 6] as number
  if (type < 1 || type > 4 || end > bytes.length || end > at - (at % LOG_BLOCK) + LOG_BLOCK) return undefined
  return crcHolds(bytes, at, at + 6, end) ? { type, body: bytes.subarray(body, end) } : undefined
}

/** Whether a part can be read behind the fault at `at`: right after it by its own length, or where a block begins. */
function soundAfter(bytes: Uint8Array, at: number): boolean {
  const block = at - (at % LOG_BLOCK)
  let next = at + LOG_HEADER + (bytes[at + 4] ?? 0) + (bytes[at + 5] ?? 0) * 256
  while (next + LOG_HEADER < Math.min(bytes.length, block + LOG_BLOCK)) {
    const part = logPart(bytes, next)
    if (part !== undefined) return true
    next += 1
  }
  for (let start = block + LOG_BLOCK; start < bytes.length; start += LOG_BLOCK) {
    if (logPart(bytes, start) !== undefined) return true
  }
  return false
}
