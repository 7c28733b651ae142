/**
 * Inflating what Brotli packed, of a size that is known.
 *
 * Pages are inflated on the calling thread. Beside it, in Node's thread pool, was measured and is slower: a megabyte takes
 * 2 ms here, and there as much again for a stream around it, for waking a thread that pushes this one off its core,
 * and for memory that is touched afresh because several pages are alive at once.
 * @see RFC 7932 (Brotli).
 * @module
 */
import { brotliDecompressSync, constants, createBrotliDecompress } from 'node:zlib'

/**
 * Inflates into memory of its own.
 *
 * @throws {Error} Node's, for what is no Brotli or gives more than `size` bytes. It may give fewer.
 */
export function inflate(packed: Uint8Array, size: number): Uint8Array {
  // One byte more than needed lets zlib see the end without a second buffer.
  return brotliDecompressSync(packed, { maxOutputLength: size, chunkSize: Math.max(size + 1, 64) })
}

/** What Node's streams have beside what their types say: where output goes, and the call that all packages for PNG use. */
interface Engine {
  _outBuffer?: unknown
  _chunkSize?: unknown
  _processChunk?: (chunk: Uint8Array, flush: number) => Uint8Array
}

/**
 * Inflates into memory that is there: a third faster than into new memory, which the system has to find and clear.
 *
 * Node has no name for that, so it is tried, and seen whether it worked.
 *
 * @param room - Of one byte more than `size`.
 * @returns Whether the first `size` bytes of `room` are now all that `packed` held. False says nothing of why.
 */
export function inflateInto(room: Buffer, packed: Uint8Array, size: number): boolean {
  const engine = createBrotliDecompress({ chunkSize: 64, maxOutputLength: Math.max(size, 1) }) as Engine
  if (engine._outBuffer === undefined || engine._chunkSize !== 64 || engine._processChunk === undefined) return false
  engine._outBuffer = room
  engine._chunkSize = room.length
  try {
    const { buffer, byteOffset, length } = engine._processChunk(packed, constants.BROTLI_OPERATION_FINISH)
    return buffer === room.buffer && byteOffset === room.byteOffset && length === size
  } catch {
    // The caller inflates it in the usual way, which tells what is wrong with it.
    return false
  }
}
