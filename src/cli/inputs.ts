/**
 * Files that a command reads as a whole: named ones, or standard input.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { CodedError } from '../base/error.js'

/** A file that was read. */
export interface Input {
  /** As it was named; `-` for standard input. */
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Reads files one after the other.
 *
 * @throws {CodedError} `INPUT_UNREADABLE` for one that cannot be read.
 */
export async function readInputs(names: readonly string[] | undefined): Promise<Input[]> {
  const inputs: Input[] = []
  for (const name of names?.length ? names : ['-']) {
    inputs.push({ name, bytes: name === '-' ? await readStdin() : await readNamed(name) })
  }
  return inputs
}

async function readStdin(): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

async function readNamed(name: string): Promise<Uint8Array> {
  try {
    return await readFile(name)
  } catch (cause) {
    throw new CodedError('INPUT_UNREADABLE', `The file ${name} cannot be read.`, {
      hint: `The system says ${(cause as NodeJS.ErrnoException).code}.`,
      cause,
    })
  }
}

/** A file's name in a sentence. */
export function nameOf(name: string): string {
  return name === '-' ? 'Standard input' : name
}
