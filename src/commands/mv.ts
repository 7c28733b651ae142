import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { several } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatMove } from '../cli/format-files.js'

/** `weft mv`: other paths for files. */
export default class Move extends BaseCommand {
  static override summary = 'Move or rename files and directories'
  static override description =
    'The next version knows that they are the same files, however much they change before it is made. The last argument is the new path, or a directory to move into: one that is there, or is written with a slash at its end.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> notes.txt doc/notes.txt',
    '<%= config.bin %> <%= command.id %> a.c b.c src',
  ]
  static override args = { paths: several('What to move, and last where to') }
  static override flags = {
    force: Flags.boolean({ char: 'f', summary: 'Overwrite what is in the way; undo brings it back' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Move)
    const typed = args.paths ?? []
    if (typed.length < 2) {
      throw new CodedError('USAGE', 'Name what to move, and where to.', { hint: 'weft mv <from>... <to>' })
    }
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { movePaths } = await import('../worktree/move.js')
    const paths = typed.map((path) => this.bytesIn(repo, path))
    const report = await movePaths(work, {
      from: paths.slice(0, -1),
      to: paths.at(-1) ?? '',
      isDirectory: typed.at(-1)?.endsWith('/'),
      force: flags.force,
    })
    await this.answer(report, formatMove)
  }
}
