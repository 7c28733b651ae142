import * as Flags from '@oclif/core/flags'
import { optional } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatPatched } from '../cli/format-work.js'
import { readInputs } from '../cli/inputs.js'

/** `weft apply`: makes the changes of a patch. */
export default class Apply extends BaseCommand {
  static override summary = 'Make the changes of a patch in the work tree, all of them or none'
  static override description =
    'Takes what weft diff, git diff and diff -u write; paths are below the root of the repository. A hunk whose lines moved is found where they are now. One that fits in several places is refused, not guessed.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> fix.patch',
    '<%= config.bin %> <%= command.id %> --check fix.patch',
    '<%= config.bin %> diff --at v1.2..main | <%= config.bin %> <%= command.id %> --reverse',
  ]
  static override args = { file: optional('Patch to read; - or none reads standard input') }
  static override flags = {
    check: Flags.boolean({ summary: 'Only say whether it can be applied' }),
    reverse: Flags.boolean({ char: 'R', summary: 'Take back what the patch does' }),
    strip: Flags.integer({
      char: 'p',
      default: 1,
      helpValue: '<parts>',
      min: 0,
      summary: 'Leave out so many parts of names at their beginning',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Apply)
    const [input] = await readInputs(args.file === undefined ? undefined : [args.file])
    await using repo = await this.openRepository()
    const work = await this.openWorktree(repo)
    const { patchWorktree } = await import('../worktree/patch-work.js')
    const patch = input?.bytes ?? new Uint8Array(0)
    const report = await patchWorktree(work, patch, flags)
    await this.answer(report, formatPatched)
  }
}
