/**
 * Messages written in the user's editor.
 *
 * The file is `<root>/.weft/COMMIT_MESSAGE`. It is there until the version is: where that fails, what was written is
 * not lost, and the next editor opens with it.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CodedError } from '../base/error.js'
import type { Config } from '../repo/config.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { messageIn, messageTemplate } from './message.js'

/** What to write a message about. */
export interface MessageRequest {
  /** The repository's directory. */
  readonly root: string
  readonly config: Config
  /** What is there already: the message that a merge would have, say. */
  readonly message?: string | undefined
  /** What will be committed, in lines that do not become part of the message. */
  readonly notes: string
}

function messagePath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'COMMIT_MESSAGE')
}

/**
 * The command of the user's editor, for a shell: `$WEFT_EDITOR`, the setting `core.editor`, `$VISUAL`, `$EDITOR`.
 *
 * @returns undefined where nobody chose one.
 */
export function chosenEditor(config: Config, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return env['WEFT_EDITOR'] || config.get('core.editor') || env['VISUAL'] || env['EDITOR'] || undefined
}

/**
 * Lets the user write a message. Call `forgetMessage` once it is used.
 *
 * No store may be open meanwhile: it may take hours.
 *
 * @throws {CodedError} `MESSAGE_EMPTY` where nothing was written, `EDITOR_FAILED`.
 */
export async function writeMessage({ root, config, message = '', notes }: MessageRequest): Promise<string> {
  const editor = chosenEditor(config) ?? standardEditor()
  const path = messagePath(root)
  const kept = existsSync(path) ? messageIn(readFileSync(path, 'utf8')) : ''
  const about = kept === '' ? notes : `This message was kept from a commit that failed.\n${notes}`
  writeFileSync(path, messageTemplate(kept === '' ? message : kept, `${GUIDE}\n\n${about}`))
  await runEditor(editor, path)
  const written = messageIn(readFileSync(path, 'utf8'))
  if (written !== '') return written
  forgetMessage(root)
  throw new CodedError('MESSAGE_EMPTY', 'The message is empty, so nothing was committed.', {
    hint: 'Write one in the editor, or give it with -m <text>.',
  })
}

const GUIDE = 'Say what this version changes. Lines that begin with "# " are left out; an empty message calls it off.'

/** Forgets what was written: it is a version's message now. */
export function forgetMessage(root: string): void {
  rmSync(messagePath(root), { force: true })
}

/** @throws {CodedError} `EDITOR_FAILED` where nobody could use it. */
function standardEditor(): string {
  if (process.stdin.isTTY) return process.platform === 'win32' ? 'notepad' : 'vi'
  throw new CodedError('EDITOR_FAILED', 'There is no terminal to write a message in.', {
    hint: 'Give the message with -m <text>.',
  })
}

/** Runs the editor to its end. It has the terminal; an answer as JSON keeps standard output to itself. */
async function runEditor(editor: string, path: string): Promise<void> {
  const output = process.stdout.isTTY ? 'inherit' : process.stderr
  const windows = process.platform === 'win32'
  const [command, args] = windows ? [`${editor} "${path}"`, []] : ['sh', ['-c', `${editor} "$@"`, editor, path]]
  const resume = leaveInterruptsAlone()
  try {
    const child = spawn(command, args, { stdio: ['inherit', output, 'inherit'], shell: windows })
    const [status, signal] = (await once(child, 'close')) as [number | null, string | null]
    if (status === 0) return
    const how = status === null ? `was ended by ${signal}` : `ended with status ${status}`
    throw failed(editor, path, how)
  } catch (error) {
    throw error instanceof CodedError ? error : failed(editor, path, 'cannot be started', error)
  } finally {
    resume()
  }
}

function failed(editor: string, path: string, how: string, cause?: unknown): CodedError {
  return new CodedError('EDITOR_FAILED', `The editor ${editor} ${how}.`, {
    hint: `What was written is kept in ${path}. \`weft config core.editor <command>\` chooses another one.`,
    cause,
  })
}

/**
 * An interrupt is for the editor, which may mean something else by it; weft waits for what it does.
 *
 * @returns What puts things as they were.
 */
function leaveInterruptsAlone(): () => void {
  const listeners = process.rawListeners('SIGINT') as NodeJS.SignalsListener[]
  const ignore = (): void => undefined
  process.removeAllListeners('SIGINT')
  process.on('SIGINT', ignore)
  return () => {
    process.off('SIGINT', ignore)
    for (const listener of listeners) process.on('SIGINT', listener)
  }
}
