import { resolve } from 'node:path'
import * as Flags from '@oclif/core/flags'
import { several, to, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatRestore } from '../cli/format-tree.js'

/** `weft restore`: the state of a version, written out. */
export default class Restore extends BaseCommand {
  static override summary = 'Write a version, or some paths of it, into a directory'
  static override description =
    `Modes and symbolic links are written too. The directory must be new or empty: nothing is ever overwritten.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --at v1.2 --to /tmp/old',
    '<%= config.bin %> <%= command.id %> src README.md --at 2014-01-01T00:00:00Z --to /tmp/old',
  ]
  static override args = { paths: several('Files and directories, all where none is named') }
  static override flags = {
    at: Flags.string({ helpValue: '<version>', required: true, summary: 'The version to restore' }),
    to,
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Restore)
    await using repo = await this.openRepository()
    const paths = args.paths?.map((path) => this.pathIn(repo, path)) ?? []
    const report = await repo.restore({
      at: flags.at,
      to: resolve(flags.to),
      ...(paths.length > 0 && { paths }),
      ...this.progress,
    })
    await this.answer(report, formatRestore)
  }
}
