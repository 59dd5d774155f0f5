"""What people type first, and the words noisecli has for it. Read only when a command line is refused.

A word leads to a hint, never to a silent alias: scripts keep to one spelling.
"""


def _table(*groups: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    """Return word -> words of noisecli, from groups of both."""
    return {word: tuple(ours.split()) for words, ours in groups for word in words.split()}


DESTROYING = ("--redo", "--force", "--prune")
"""Never suggested for a slip of the fingers: what each of them does is said instead."""

OPTIONS = _table(
    ("--workers --num-workers --n-workers --max-workers --threads --num-threads", "--jobs"),
    ("--processes --procs --nproc --num-processes --cpus --cores --parallel --n-jobs --num-jobs", "--jobs"),
    ("--sigma --stddev --std-dev --stdev --sd --noise-std --noise-sigma --noise-level --noise --scale", "--std"),
    ("--level --strength --amount --intensity --amplitude", "--std"),
    ("--variance --sigma2 --noise-var", "--var"),
    ("--snr --db --snrdb --target-snr", "--snr-db"),
    ("--dbfs --level-db --noise-dbfs --noise-level-db --rms-db", "--level-dbfs"),
    ("--colour --noise-color --noise-colour", "--color"),
    ("--f-decay --db-per-octave --tilt --exponent", "--slope"),
    ("--mu --loc --offset", "--mean"),
    ("--random-seed --random-state --rng --rng-seed", "--seed"),
    ("--num-copies --n-copies --repeat --repeats --times --versions --augmentations", "--copies"),
    ("--p --probability --chance", "--prob"),
    ("--steps --num-levels --n-levels", "--levels"),
    ("--ext --extension --output-format --fmt", "--format --to"),
    ("--type", "--format --dtype --to"),
    ("--bit-depth --depth --precision", "--dtype"),
    ("--jpeg-quality --jpg-quality -q:v", "--quality"),
    ("--pairs --keep-clean --clean --with-original", "--with-clean"),
    ("--std-map --noise-map --sigma-map --noise-level-map --with-noise-map --maps", "--with-std-map"),
    ("--glob --pattern --filter --match", "--include"),
    ("--ignore --skip", "--exclude"),
    ("--max-files --max-count --head --first --num-files --subset --max-images", "--limit"),
    ("--files --file-list --filelist --files-from --list --from-file", "--files0-from"),
    ("--dryrun --simulate --just-print --no-act --what-if", "--dry-run"),
    ("--silent", "--quiet"),
    ("--debug --trace", "--verbose"),
    ("--hash --checksums --sha256", "--checksum"),
    ("--shards --num-shards --n-shards --shard-id --shard-index --world-size --rank --array --part --split", "--shard"),
    ("--epsilon", "--eps"),
    ("--param --params --parameter --layer --layers --key", "--tensors --key"),
    ("--array --arrays --tensors", "--key --tensors"),
    ("--roi --region --regions --where --mask-dir --masks --masks-dir --inside", "--mask"),
    ("--patch-size --box --bbox --square --cutout --crop", "--patch"),
    ("--gray --grayscale --mono --monochrome --same-noise", "--shared-channels"),
)
"""Option as typed, in lower case with hyphens -> its meanings; the first that a command has is the answer."""

OF_COMMANDS = {
    "latents": _table(
        ("--n --num --number --num-samples --n-samples --samples --size-n --copies --limit", "--count"),
        ("--dim --dims --size --z-dim --latent-dim --latent-size --z-size", "--shape"),
        ("--batch --batch-size --chunk --chunk-size --shard-size", "--per-file"),
        ("--sigma --stddev --truncation", "--std"),
        ("--type", "--dtype"),
    ),
    "export": _table(
        ("--format --kind --type", "--to"),
    ),
    "preview": _table(
        ("--limit --max-files --num --samples", "--rows"),
    ),
}
"""The same for words that mean something else to one command."""

EXPLAINED = _table(
    ("--overwrite --overwrite-existing --replace --clobber --force-overwrite -y --yes -f", "--redo --force"),
    ("--rebuild --recreate --rerun --no-cache --always-make -b", "--redo --force"),
    ("--delete --delete-after --remove --cleanup --clean-up --purge --mirror", "--prune"),
    ("-n --n", "--jobs --count --limit --copies --dry-run"),
    ("-s", "--std --seed"),
    ("-c", "--checksum --copies"),
    ("-l", "--limit --follow-links"),
    ("-p", "--prob --jobs"),
)
"""Words that may mean several things: the answer says what each of ours does, and leaves the choice."""

DESTINATION = _table(
    ("--output -o --out --output-dir --out-dir --outdir --output-folder --output-path --output-file --outfile", "DST"),
    ("--dst --dest --destination --target --save-dir --save-to -d", "DST"),
)
SOURCE = _table(
    ("--input -i --in --input-dir --in-dir --indir --input-folder --input-path --input-file --infile", "SRC"),
    ("--src --source --data --data-dir --dataset --path --dir --folder --root", "SRC"),
)
"""Options elsewhere, and arguments here."""

NOTES = (
    ("--recursive -r -R", "--jobs", "folders are walked anyway; leave it out"),
    (
        "--resume --continue --skip-existing --no-overwrite --no-clobber --ignore-existing --update -u",
        "--redo",
        "what is done already is kept anyway; leave it out",
    ),
    (
        "--keep-structure --preserve-structure --parents --mirror-tree",
        "--include",
        "DST mirrors the folders of SRC anyway; leave it out",
    ),
    ("--version", "--quiet", "it goes without a command: noisecli --version"),
    (
        "--shard",
        "--eps",
        "batches of the gradient step are cut from all images, and every shard would need them all; leave it out",
    ),
    ("--poisson --poisson-noise --photon --iso --sensor", "--shot", "--shot A or --camera sidd, or --corruption shot"),
    ("--salt-pepper --salt-and-pepper --s&p --impulse", "--corruption", "--corruption impulse --severity 1"),
    ("--pink --brown --blue --violet", "--color", "--color and its name: --color pink"),
    (
        "--noise-type --distribution --dist",
        "--shot",
        "--shot, --speckle, --camera, --corruption; without, it is Gaussian",
    ),
    ("--noise-type --distribution --dist", "--color", "--color; without, it is white and Gaussian"),
    ("--noise-type --distribution --dist --gaussian", "--seed", "the noise is Gaussian anyway; leave it out"),
    ("--format --ext --extension --output-format", "--shape", "latents are .npy files; leave it out"),
    (
        "--format --ext --extension --output-format",
        "--per-feature",
        "arrays keep the format of their files; leave it out",
    ),
    (
        "--format --ext --extension --output-format",
        "--skip-tensors",
        "weights keep the format of their files; leave it out",
    ),
)
"""Options as typed, an option that tells the commands they are not needed by, and why."""


COMMANDS = _table(
    ("image img imgs picture pictures pic pics photo photos photograph photographs", "images"),
    ("jpg jpeg png tiff webp frames", "images"),
    ("sound sounds speech voice music wav wave waveform waveforms flac mp3", "audio"),
    ("array numpy npy npz features feature embeddings tabular", "arrays"),
    ("weight model models checkpoint checkpoints parameters params safetensors keras", "weights"),
    ("tensor tensors", "arrays weights"),
    ("latent z noise-vectors", "latents"),
    ("attack fgsm adversary perturb", "adversarial"),
    ("show view look compare sheet", "preview"),
    ("check validate test recompute", "verify"),
    ("join combine unite gather union reduce", "merge"),
    ("convert dump csv pairs labels hf", "export"),
    ("noise add run noisify corrupt augment dataset folder", "images audio arrays weights"),
)
"""Command as typed -> ours; where there are several, the answer names them all."""
