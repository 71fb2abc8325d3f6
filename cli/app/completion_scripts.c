/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scripts that make a shell ask this program for completions.
 */
#include "cli/app/completion.h"

#include "base/str.h"

static const char bash_script[] =
    "# bash completion for <program>\n"
    "__start_<program>()\n"
    "{\n"
    "    local line directive word out candidate\n"
    "    local -a words\n"
    "    words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
    "    word=\"${COMP_WORDS[COMP_CWORD]}\"\n"
    "    # The shell splits at `=` and `:`; only the part behind them is replaced.\n"
    "    if declare -F _get_comp_words_by_ref >/dev/null; then\n"
    "        local cur prev cword\n"
    "        _get_comp_words_by_ref -n \"=:\" cur prev words cword\n"
    "        words=(\"${words[@]:1:cword}\")\n"
    "        word=\"$cur\"\n"
    "    fi\n"
    "    out=$(\"${COMP_WORDS[0]}\" <request> \"${words[@]}\" 2>/dev/null)\n"
    "    directive=\"${out##*:}\"\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        [[ $line == :* || -z $line ]] && continue\n"
    "        candidate=\"${line%%$'\\t'*}\"\n"
    "        [[ $candidate == \"$word\"* ]] && COMPREPLY+=(\"$candidate\")\n"
    "    done <<<\"$out\"\n"
    "    if ((${#COMPREPLY[@]} == 0 && directive != 4)); then\n"
    "        compopt -o default 2>/dev/null\n"
    "    fi\n"
    "}\n"
    "complete -F __start_<program> <program>\n";

static const char zsh_script[] =
    "#compdef <program>\n"
    "compdef _<program> <program>\n"
    "\n"
    "# zsh completion for <program>\n"
    "_<program>()\n"
    "{\n"
    "    local line directive\n"
    "    local -a candidates\n"
    "    while IFS= read -r line; do\n"
    "        if [[ $line == :* ]]; then\n"
    "            directive=${line#:}\n"
    "        elif [[ -n $line ]]; then\n"
    "            line=${line//:/\\\\:}\n"
    "            candidates+=(\"${line/$'\\t'/:}\")\n"
    "        fi\n"
    "    done < <(\"${words[1]}\" <request> \"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "    if (( ${#candidates} )); then\n"
    "        _describe 'completions' candidates\n"
    "    elif [[ $directive != 4 ]]; then\n"
    "        _files\n"
    "    fi\n"
    "}\n"
    "\n"
    "if [ \"$funcstack[1]\" = \"_<program>\" ]; then\n"
    "    _<program>\n"
    "fi\n";

static const char fish_script[] =
    "# fish completion for <program>\n"
    "function __<program>_candidates\n"
    "    set -l words (commandline -opc)\n"
    "    set -l current (commandline -ct)\n"
    "    set -l out ($words[1] <request> $words[2..-1] \"$current\" 2>/dev/null)\n"
    "    set -l directive 0\n"
    "    set -l found\n"
    "    for line in $out\n"
    "        if string match -q ':*' -- $line\n"
    "            set directive (string sub -s 2 -- $line)\n"
    "        else if test -n \"$line\"\n"
    "            set -a found $line\n"
    "        end\n"
    "    end\n"
    "    if test (count $found) -eq 0; and test $directive -ne 4\n"
    "        # The value of `--flag=value` is completed behind its flag.\n"
    "        set -l flag (string match -r -- '^-.*=' \"$current\")\n"
    "        set -l value (string replace -r -- '^-.*=' '' \"$current\")\n"
    "        for path in (__fish_complete_path \"$value\")\n"
    "            printf '%s%s\\n' \"$flag\" $path\n"
    "        end\n"
    "    else\n"
    "        printf '%s\\n' $found\n"
    "    end\n"
    "end\n"
    "complete -c <program> -e\n"
    "complete -c <program> -f -a '(__<program>_candidates)'\n";

static const char powershell_script[] =
    "# powershell completion for <program>\n"
    "Register-ArgumentCompleter -Native -CommandName '<program>' -ScriptBlock {\n"
    "    param($WordToComplete, $CommandAst, $CursorPosition)\n"
    "    $Words = @($CommandAst.CommandElements | ForEach-Object { \"$_\" })\n"
    "    $Program = $Words[0]\n"
    "    $Arguments = @($Words | Select-Object -Skip 1)\n"
    "    if ($WordToComplete -eq '') { $Arguments += '\"\"' }\n"
    "    $Lines = & $Program <request> @Arguments 2>$null\n"
    "    foreach ($Line in $Lines) {\n"
    "        if ($Line -eq '' -or $Line.StartsWith(':')) { continue }\n"
    "        $Word, $Text = $Line.Split(\"`t\", 2)\n"
    "        if (-not $Text) { $Text = $Word }\n"
    "        if ($Word.StartsWith($WordToComplete)) {\n"
    "            [System.Management.Automation.CompletionResult]::new("
    "$Word, $Word, 'ParameterValue', $Text)\n"
    "        }\n"
    "    }\n"
    "}\n";

const char *completion_script(const char *shell)
{
    static const struct {
        const char *shell;
        const char *script;
    } scripts[] = {
        {"bash", bash_script},
        {"zsh", zsh_script},
        {"fish", fish_script},
        {"powershell", powershell_script},
    };
    for (size_t i = 0; i < CORAS_ARRAY_LEN(scripts); i++)
        if (coras_streq(scripts[i].shell, shell))
            return scripts[i].script;
    return NULL;
}
