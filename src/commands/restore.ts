import { resolve } from 'node:path'
import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatRestorePaths } from '../cli/format-files.js'
import { formatRestore } from '../cli/format-tree.js'
import type { Repository } from '../repo/repository.js'

/** `weft restore`: paths as a version has them, in the work tree or in a directory of their own. */
export default class Restore extends BaseCommand {
  static override summary = 'Bring files back as a version has them'
  static override description =
    `In the work tree, files at the paths named are overwritten with what the version has, by default the one that the work tree stands on; tracked files that it does not have are removed, and files that no version has are left alone. Undo brings back what was replaced.\n\nWith --to the version, or some paths of it, is written into a directory that must be new or empty.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> README.md src',
    '<%= config.bin %> <%= command.id %> --all',
    '<%= config.bin %> <%= command.id %> README.md --at v1.2',
    '<%= config.bin %> <%= command.id %> --at v1.2 --to /tmp/old',
    '<%= config.bin %> <%= command.id %> src README.md --at 2014-01-01T00:00:00Z --to /tmp/old',
  ]
  static override args = { paths: several('Files and directories; with --to all where none is named') }
  static override flags = {
    all: Flags.boolean({ summary: 'Everything in the work tree' }),
    at: Flags.string({ helpValue: '<version>', summary: 'The version to restore' }),
    to: Flags.string({ helpValue: '<dir>', summary: 'Write into this directory, which must be new or empty' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Restore)
    const { to, at, all } = flags
    if (to !== undefined && at === undefined) {
      throw new CodedError('USAGE', 'Say which version to write there.', { hint: 'Name it with --at.' })
    }
    await using repo = await this.openRepository()
    const typed = args.paths?.map((path) => this.pathIn(repo, path)) ?? []
    if (to !== undefined && at !== undefined) return await this.#writeOut(repo, typed, at, to)
    const paths = all ? [''] : (args.paths?.map((path) => this.bytesIn(repo, path)) ?? [])
    if (paths.length === 0) {
      throw new CodedError('USAGE', 'Say which files to restore.', { hint: 'Name paths, or --all for everything.' })
    }
    const work = await this.openWorktree(repo)
    const { restorePaths } = await import('../worktree/restore-paths.js')
    await this.answer(await restorePaths(work, { paths, at }), formatRestorePaths)
  }

  async #writeOut(repo: Repository, paths: string[], at: string, to: string): Promise<void> {
    const report = await repo.restore({ at, to: resolve(to), ...(paths.length > 0 && { paths }), ...this.progress })
    await this.answer(report, formatRestore)
  }
}
