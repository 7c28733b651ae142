/**
 * What every command shares: `-C`, `--json`, colours, progress, and opening the repository.
 *
 * A command parses, calls the library and prints. It prints through `answer` (one value) or `answerEach` (many), so that
 * the words for people and the JSON for programs always come from the same value.
 * @module
 */
import { Command } from '@oclif/core/command'
import * as Flags from '@oclif/core/flags'
import { parsePath } from '../repo/path-text.js'
import type { Author } from '../repo/person.js'
import type { Repository } from '../repo/repository.js'
import type { Progress } from '../repo/results.js'
import type { Worktree } from '../worktree/worktree.js'
import { changeDirectory, repositoryPath } from './directory.js'
import { configHome } from './home.js'
import { optimizeLater } from './optimizer.js'
import { leavePager, pageWith, write, writeAll, writeJson, writeJsonArray } from './output.js'
import { ProgressBar } from './progress.js'
import { EXIT_DAMAGED, EXIT_REFUSED } from './report.js'
import { makeStyle, type Style, wantsColours } from './style.js'

/** How long a command waits for another one that holds the store, in milliseconds. */
export const LOCK_WAIT = 10_000

/** Base of all commands. */
export abstract class BaseCommand extends Command {
  /** Errors can be had as JSON from every command, answers from all that report. */
  static override enableJsonFlag = true
  static override baseFlags = {
    directory: Flags.string({
      char: 'C',
      helpGroup: 'GLOBAL',
      helpValue: '<dir>',
      parse: async (dir) => {
        changeDirectory(dir)
        return dir
      },
      summary: 'Run as if started in this directory',
    }),
    json: Flags.boolean({ helpGroup: 'GLOBAL', summary: 'Print the answer, or the error, as JSON' }),
    // Before a command's name it may stand for any, so all know it.
    'no-pager': Flags.boolean({ helpGroup: 'GLOBAL', hidden: true }),
  }

  private bar: ProgressBar | undefined

  /** Errors go up to `main`, which alone knows how to print them. */
  protected override catch(error: Error): Promise<never> {
    return Promise.reject(error)
  }

  protected override async finally(): Promise<void> {
    this.bar?.stop()
    await leavePager()
  }

  /** Folder of the user's settings. */
  protected get home(): string {
    return configHome()
  }

  /** Opens the repository that the working directory is in. */
  protected async openRepository(): Promise<Repository> {
    const { Repository } = await import('../repo/repository.js')
    optimizeLater()
    const onWait = (): void => void process.stderr.write('Waiting for another weft command to finish ...\n')
    return Repository.open(process.cwd(), { home: this.home, wait: LOCK_WAIT, onWait })
  }

  /** The work tree of an open repository. What an interrupted command left undone is finished first, and told. */
  protected async openWorktree(repo: Repository): Promise<Worktree> {
    const { Worktree } = await import('../worktree/worktree.js')
    const work = await Worktree.open(repo)
    const { finished } = work
    if (finished !== undefined) {
      const { record, failures } = finished
      process.stderr.write(`Finished what had been interrupted: ${record.command} ${record.summary}\n`)
      for (const { path, reason } of failures) process.stderr.write(`  ${path}: ${reason}\n`)
    }
    return work
  }

  /** Whose name new versions get. */
  protected async author(root: string): Promise<Author> {
    const [{ readConfig }, { authorOf }] = await Promise.all([import('../repo/config.js'), import('../repo/person.js')])
    return authorOf(readConfig(root, this.home), process.env)
  }

  /** A path argument as a path of the repository, as bytes. */
  protected bytesIn(repo: Repository, path: string): string {
    return parsePath(this.pathIn(repo, path))
  }

  /** A path argument as a path of the repository, `undefined` where none was given. */
  protected pathIn(repo: Repository, path: string): string {
    return repositoryPath(path, repo.root)
  }

  /** Option for long work: draws a bar on a terminal once the work takes longer than a second, else nothing. */
  protected get progress(): { progress?: Progress } {
    if (!process.stderr.isTTY) return {}
    this.bar ??= new ProgressBar(process.stderr)
    return { progress: this.bar.update }
  }

  /** Prints one value: as JSON, or in the words that `format` finds for it. */
  protected async answer<T>(value: T, format: (value: T, style: Style) => string): Promise<void> {
    this.bar?.stop()
    await (this.jsonEnabled() ? writeJson(value) : write(format(value, this.style)))
  }

  /** Prints many values as they come: as one JSON array, or each in the words that `format` finds for it. */
  protected async answerEach<T>(
    values: AsyncIterable<T> | Iterable<T>,
    format: (value: T, style: Style) => string | Uint8Array,
  ): Promise<void> {
    const { style } = this
    await (this.jsonEnabled() ? writeJsonArray(values) : writeAll(values, (value) => format(value, style)))
  }

  /** Lets what is answered from now on go through a pager, on a terminal: it may be longer than a screen. */
  protected async page(): Promise<void> {
    if (process.stdout.isTTY !== true || this.argv.includes('--no-pager') || this.argv.includes('--json')) return
    const { openPager, pagerCommand } = await import('./pager.js')
    const command = pagerCommand()
    if (command !== undefined) pageWith(() => openPager(command))
  }

  /** Sets the exit status of a command that did its work and found damage. */
  protected exitDamaged(): void {
    process.exitCode = EXIT_DAMAGED
  }

  /** Sets the exit status of a command that did what it could, and was refused some. */
  protected exitRefused(): void {
    process.exitCode = EXIT_REFUSED
  }

  protected get style(): Style {
    return makeStyle(wantsColours(process.stdout), process.stdout.isTTY === true)
  }
}

/** Base of the commands whose answers may be longer than a screen: on a terminal they go through a pager. */
export abstract class PagedCommand extends BaseCommand {
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    'no-pager': Flags.boolean({ helpGroup: 'GLOBAL', summary: 'Write to the terminal, whatever the length' }),
  }

  protected override async init(): Promise<void> {
    await super.init()
    await this.page()
  }
}
