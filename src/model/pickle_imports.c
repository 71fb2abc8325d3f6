/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of imports in pickles, and how they are asked.
 */
#include "model/pickle_imports.h"

#include "base/str.h"

struct coras_import_row {
    const char *module;
    const char *names; /* separated by blanks; "*" for all, and for all of its submodules */
};

/* Classes and functions that only put values together. Modules match exactly. */
static const struct coras_import_row harmless[] = {
    {"collections", "OrderedDict defaultdict deque Counter"},
    {"torch", "FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage "
              "ShortStorage CharStorage ByteStorage BoolStorage ComplexFloatStorage "
              "ComplexDoubleStorage QInt8Storage QUInt8Storage QInt32Storage QUInt4x2Storage "
              "QUInt2x4Storage Size device dtype Tensor float64 float32 float16 bfloat16 "
              "complex32 complex64 complex128 int64 int32 int16 int8 uint8 uint16 uint32 uint64 "
              "bool float8_e4m3fn float8_e5m2 strided sparse_coo per_tensor_affine"},
    {"torch.cuda", "FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage "
                   "ShortStorage CharStorage ByteStorage BoolStorage"},
    {"torch._utils", "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter "
                     "_rebuild_parameter_v2 _rebuild_parameter_with_state _rebuild_qtensor "
                     "_rebuild_sparse_tensor _rebuild_sparse_csr_tensor "
                     "_rebuild_meta_tensor_no_storage _rebuild_nested_tensor"},
    {"torch._tensor", "_rebuild_from_type_v2"},
    {"torch.nn.parameter", "Parameter"},
    {"torch.serialization", "_get_layout"},
    {"torch.storage", "UntypedStorage TypedStorage"},
    {"torch.jit._pickle", "build_intlist build_tensorlist build_doublelist build_boollist "
                          "build_tensor_from_id restore_type_tag"},
    {"numpy", "dtype ndarray float64 float32 float16 int64 int32 int16 int8 uint8 bool_"},
    {"numpy.core.multiarray", "_reconstruct scalar"},
    {"numpy._core.multiarray", "_reconstruct scalar"},
    {"numpy.core.numeric", "_frombuffer"},
    {"numpy._core.numeric", "_frombuffer"},
    {"_codecs", "encode"},
    {"copyreg", "_reconstructor"},
    {"copy_reg", "_reconstructor"},
    {"builtins", "set frozenset bytearray bytes complex int float bool str list dict tuple slice "
                 "range object"},
    {"__builtin__", "set frozenset bytearray str unicode complex int long float bool list dict "
                    "tuple slice xrange object"},
};

/* Modules with their submodules, or single functions of modules. */
static const struct coras_import_row dangerous[] = {
    /* programs */
    {"os", "*"},
    {"posix", "*"},
    {"nt", "*"},
    {"posixpath", "*"},
    {"ntpath", "*"},
    {"subprocess", "*"},
    {"_posixsubprocess", "*"},
    {"commands", "*"},
    {"popen2", "*"},
    {"pty", "*"},
    {"multiprocessing", "*"},
    {"concurrent", "*"},
    {"asyncio", "*"},
    {"signal", "*"},
    {"sys", "*"},
    {"platform", "popen _syscmd_file _syscmd_ver"},
    {"webbrowser", "*"},
    {"antigravity", "*"},
    {"_osx_support", "*"},
    {"_aix_support", "*"},
    {"_pyrepl", "*"},
    {"uuid", "*"},
    {"ensurepip", "*"},
    {"pip", "*"},
    {"setuptools", "*"},
    {"distutils", "*"},
    {"venv", "*"},
    {"imaplib", "*"},
    /* code */
    {"builtins", "eval exec compile open getattr setattr delattr __import__ globals locals vars "
                 "input breakpoint apply execfile file reload memoryview type super map filter "
                 "help exit quit"},
    {"__builtin__", "eval exec compile open getattr setattr delattr __import__ globals locals "
                    "vars input raw_input breakpoint apply execfile file reload type super map "
                    "filter reduce help exit quit"},
    {"__main__", "__builtins__"},
    {"runpy", "*"},
    {"code", "*"},
    {"codeop", "*"},
    {"_xxsubinterpreters", "*"},
    {"_interpreters", "*"},
    {"importlib", "*"},
    {"_frozen_importlib", "*"},
    {"_frozen_importlib_external", "*"},
    {"imp", "*"},
    {"_imp", "*"},
    {"pkgutil", "*"},
    {"zipimport", "*"},
    {"types", "CodeType FunctionType LambdaType MethodType ModuleType"},
    {"functools", "partial partialmethod reduce"},
    {"_functools", "partial reduce"},
    {"operator", "attrgetter itemgetter methodcaller call"},
    {"_operator", "attrgetter itemgetter methodcaller call"},
    {"itertools", "starmap accumulate"},
    {"ctypes", "*"},
    {"_ctypes", "*"},
    {"cffi", "*"},
    {"gc", "*"},
    {"inspect", "*"},
    {"pdb", "*"},
    {"bdb", "*"},
    {"trace", "*"},
    {"profile", "*"},
    {"cProfile", "*"},
    {"timeit", "*"},
    {"doctest", "*"},
    {"unittest", "*"},
    {"test", "*"},
    {"pydoc", "*"},
    {"idlelib", "*"},
    {"lib2to3", "*"},
    {"rlcompleter", "*"},
    {"atexit", "*"},
    {"site", "*"},
    {"threading", "*"},
    {"_thread", "*"},
    {"thread", "*"},
    {"sched", "*"},
    {"logging", "FileHandler"},
    {"logging.config", "*"},
    /* more pickles, which nobody has looked into */
    {"pickle", "*"},
    {"_pickle", "*"},
    {"cPickle", "*"},
    {"marshal", "*"},
    {"shelve", "*"},
    {"dill", "*"},
    {"cloudpickle", "*"},
    {"joblib.externals", "*"},
    {"joblib", "load"},
    {"joblib.numpy_pickle", "load"},
    {"pandas", "read_pickle eval"},
    {"pandas.io.pickle", "*"},
    {"numpy", "load save fromfile memmap"},
    {"torch", "load save"},
    {"torch.serialization", "load save"},
    {"torch.storage", "_load_from_bytes"},
    {"torch.package", "*"},
    {"torch.hub", "*"},
    {"torch.jit", "*"},
    {"torch.utils.cpp_extension", "*"},
    {"torch.utils._config_module", "*"},
    {"torch.utils.bottleneck", "*"},
    {"torch.utils.collect_env", "*"},
    {"torch.utils.data.datapipes.utils.decoder", "*"},
    {"torch.fx", "*"},
    {"torch._dynamo", "*"},
    {"torch._inductor", "*"},
    {"torch.ops", "*"},
    {"torch.classes", "*"},
    {"numpy.f2py", "*"},
    {"numpy.testing", "*"},
    {"numpy.ctypeslib", "*"},
    {"numpy.distutils", "*"},
    {"yaml", "*"},
    {"jsonpickle", "*"},
    /* files */
    {"io", "open open_code FileIO"},
    {"_io", "open open_code FileIO"},
    {"_pyio", "*"},
    {"codecs", "open"},
    {"shutil", "*"},
    {"tempfile", "*"},
    {"glob", "*"},
    {"fileinput", "*"},
    {"linecache", "*"},
    {"mmap", "*"},
    {"sqlite3", "*"},
    {"_sqlite3", "*"},
    {"dbm", "*"},
    {"tarfile", "*"},
    {"zipfile", "*"},
    {"winreg", "*"},
    {"_winreg", "*"},
    {"msvcrt", "*"},
    {"_winapi", "*"},
    {"win32api", "*"},
    /* hosts */
    {"socket", "*"},
    {"_socket", "*"},
    {"socketserver", "*"},
    {"SocketServer", "*"},
    {"ssl", "*"},
    {"_ssl", "*"},
    {"http", "*"},
    {"httplib", "*"},
    {"urllib", "*"},
    {"urllib2", "*"},
    {"urllib3", "*"},
    {"requests", "*"},
    {"httpx", "*"},
    {"aiohttp", "*"},
    {"ftplib", "*"},
    {"telnetlib", "*"},
    {"smtplib", "*"},
    {"poplib", "*"},
    {"nntplib", "*"},
    {"xmlrpc", "*"},
    {"paramiko", "*"},
    {"wsgiref", "*"},
};

static bool has_word(const char *words, const char *word, size_t len)
{
    for (const char *at = words; *at;) {
        size_t n = strcspn(at, " ");
        if (n == len && memcmp(at, word, len) == 0)
            return true;
        at += n + strspn(at + n, " ");
    }
    return false;
}

/* Classes of TorchScript, whose code lies beside the pickle and runs in an interpreter of torch. */
static bool is_torch_script(const char *module)
{
    return coras_str_starts(module, "__torch__.");
}

static bool is_harmless(const char *module, const char *name)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(harmless); i++)
        if (coras_streq(harmless[i].module, module) &&
            has_word(harmless[i].names, name, strlen(name)))
            return true;
    return false;
}

/* Whether `module` is the row's module or, where the row means all of it, lies in it. */
static bool is_in(const struct coras_import_row *row, const char *module, size_t len)
{
    size_t row_len = strlen(row->module);
    if (len < row_len || memcmp(row->module, module, row_len) != 0)
        return false;
    return len == row_len || (module[row_len] == '.' && *row->names == '*');
}

/* A function may be reached through a class or another module: os in "serialization.os.system". */
static bool reaches_module(const char *name)
{
    for (const char *dot; (dot = strchr(name, '.')); name = dot + 1)
        for (size_t i = 0; i < CORAS_ARRAY_LEN(dangerous); i++)
            if (*dangerous[i].names == '*' && is_in(&dangerous[i], name, (size_t)(dot - name)))
                return true;
    return false;
}

/* Attributes that lead from any object to all others. */
static bool is_reflective(const char *name)
{
    static const char *const parts[] = {
        "__globals__",      "__builtins__", "__subclasses__", "__import__", "__code__",
        "__getattribute__", "__loader__",   "__reduce_ex__",  "__dict__",   "__init_subclass__"};
    for (size_t i = 0; i < CORAS_ARRAY_LEN(parts); i++)
        if (strstr(name, parts[i]))
            return true;
    return false;
}

static bool is_dangerous(const char *module, const char *name)
{
    size_t module_len = strlen(module), first = strcspn(name, ".");

    for (size_t i = 0; i < CORAS_ARRAY_LEN(dangerous); i++) {
        const struct coras_import_row *row = &dangerous[i];
        if (is_in(row, module, module_len) &&
            (*row->names == '*' || has_word(row->names, name, first)))
            return true;
    }
    return reaches_module(name) || is_reflective(name);
}

enum coras_severity coras_pickle_judge(const char *module, const char *name)
{
    if (is_harmless(module, name))
        return CORAS_SEVERITY_LOW;
    if (is_dangerous(module, name))
        return CORAS_SEVERITY_HIGH;
    return is_torch_script(module) ? CORAS_SEVERITY_LOW : CORAS_SEVERITY_MEDIUM;
}
