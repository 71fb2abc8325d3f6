# SPDX-License-Identifier: Apache-2.0
# The libraries of the static program, built from Debian's sources with only what coras uses: sourced by
# scripts/release, which sets $static (this directory), $cache, $arch, $triple and $libraries (where they land), and has
# coras-cc, coras-ar and coras-ranlib in PATH. Compilers are called by name and not by path, since OpenSSL keeps the
# command line in its library.

optimise='-O2 -ffunction-sections -fdata-sections -fPIC'

# prefixed PREFIX WORDS: each word with the prefix.
prefixed() {
    prefix=$1; shift
    for word in $*; do printf '%s%s ' "$prefix" "$word"; done
}

# fetch_file SUM PATH: into the cache, from a mirror of Debian or, when it has gone from there, from its archive.
fetch_file() {
    file=$cache/sources/$(basename "$2" | sed 's/%2b/+/g; s/%7e/~/g')
    [ -f "$file" ] && return
    for place in "${DEBIAN_MIRROR:-http://deb.debian.org}/$2" "https://snapshot.debian.org/archive/$(
        printf '%s' "$2" | sed 's|^\([^/]*\)/|\1/20261126T000000Z/|')"; do
        curl -fsSL --retry 3 -o "$file.new" "$place" || continue
        printf '%s  %s\n' "$1" "$file.new" | sha256sum -c --quiet - || die "$place is not what packaging/static/sources says"
        mv "$file.new" "$file"
        return
    done
    die "$(basename "$2") is neither on the mirror nor in Debian's archive (packaging/static/pin writes the list anew, from" \
        'what Debian has today)'
}

# Sources as they are, then with Debian's patches.
fetch_sources() {
    mkdir -p "$cache/sources"
    grep -v '^#' "$static/sources" | while read -r _ _ sum path; do
        fetch_file "$sum" "$path"
    done
}

# unpack PACKAGE: into the build directory, and go there.
unpack() {
    dsc=$(awk -v package="$1" '$1 == package && /\.dsc$/ {print $4}' "$static/sources")
    dsc=$(basename "$dsc" | sed 's/%2b/+/g; s/%7e/~/g')
    rm -rf "$libraries.work/$1"
    mkdir -p "$libraries.work"
    quietly dpkg-source --no-check -x "$cache/sources/$dsc" "$libraries.work/$1"
    cd "$libraries.work/$1"
    install -D -m 644 debian/copyright "$libraries/copyright/$1"
}

# autotools [configure options]: what all packages of that kind are told.
autotools() {
    quietly ./configure --host="$triple" --prefix= --disable-shared --enable-static --disable-dependency-tracking \
        CC=coras-cc AR=coras-ar RANLIB=coras-ranlib CFLAGS="$optimise" CPPFLAGS="-I$libraries/include" \
        LDFLAGS="-L$libraries/lib" PKG_CONFIG_LIBDIR="$libraries/lib/pkgconfig" "$@"
}

# describe NAME VERSION LIBRARIES [NEEDED]: a file for pkg-config, which is asked for no other prefix than ours.
describe() {
    mkdir -p "$libraries/lib/pkgconfig"
    cat >"$libraries/lib/pkgconfig/$1.pc" <<PC
prefix=$libraries
Name: $1
Description: $1
Version: $2
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib $3
Requires: ${4:-}
PC
}

version_of() {
    awk -v package="$1" '$1 == package {print $2; exit}' "$static/sources" | sed 's/[-+~].*//; s/\.dfsg//'
}

install_library() {
    install -D -m 644 "$1" "$libraries/lib/$(basename "$1")"
}

build_zlib() {
    unpack zlib
    CC=coras-cc AR=coras-ar RANLIB=coras-ranlib CFLAGS="$optimise" quietly ./configure --static --prefix=
    quietly make -j "$jobs" libz.a
    install_library libz.a
    install -m 644 zlib.h zconf.h "$libraries/include"
    describe zlib "$(version_of zlib)" -lz
}

# Only the half that reads.
build_libzstd() {
    unpack libzstd
    quietly make -C lib -j "$jobs" libzstd.a CC=coras-cc AR=coras-ar CFLAGS="$optimise" ZSTD_NO_ASM=1 \
        ZSTD_LIB_COMPRESSION=0 ZSTD_LIB_DICTBUILDER=0 ZSTD_LIB_DEPRECATED=0
    install_library lib/libzstd.a
    describe libzstd "$(version_of libzstd)" -lzstd
}

build_openssl() {
    # Every part of OpenSSL that neither TLS 1.2 and 1.3, as registries speak them, nor SHA-2 needs.
    openssl_without='afalgeng aria async autoload-config bf blake2 camellia capieng cast cmp cms comp ct dgram
        dh dsa dso dtls dynamic-engine ec2m engine filenames gost idea legacy md4 mdc2 module multiblock nextprotoneg ocb
        ocsp padlockeng psk rc2 rc4 rfc3779 rmd160 scrypt seed shared siphash sm2 sm3 sm4 sock srp srtp ssl3 ssl-trace tests
        tls1 tls1_1 ts ui-console whirlpool'
    unpack openssl
    # The date that it keeps is of its package: our commit is another each time, and the library remains.
    SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -S Timestamp)
    case $arch in x86_64) target=linux-x86_64 ;; aarch64) target=linux-aarch64 ;; esac
    # shellcheck disable=SC2046,SC2086 # lists
    CC=coras-cc AR=coras-ar RANLIB=coras-ranlib quietly ./Configure "$target" --prefix=/usr --openssldir=/etc/ssl \
        $(prefixed no- $openssl_without) $optimise
    quietly make -j "$jobs" build_generated
    quietly make -j "$jobs" libcrypto.a libssl.a
    install_library libcrypto.a
    install_library libssl.a
    cp -R include/openssl "$libraries/include"
    describe libcrypto "$(version_of openssl)" -lcrypto
    describe libssl "$(version_of openssl)" -lssl libcrypto
}

build_curl() {
    # Protocols and forms of authentication that no registry speaks.
    curl_without='alt-svc cookies crypto-auth dateparse dict doh file ftp gopher hsts imap ldap ldaps libcurl-option manual
        mime mqtt netrc ntlm ntlm-wb pop3 rtsp shared smb smtp telnet tftp tls-srp unix-sockets verbose-strings websockets'
    curl_not_with='brotli ca-bundle ca-path gssapi libgsasl libidn2 libpsl librtmp libssh libssh2 nghttp2 zstd'
    unpack curl
    # Debian's package has the script; its patches touch what it is made from.
    [ -x configure ] || quietly autoreconf -fi
    # shellcheck disable=SC2046,SC2086 # lists
    autotools --with-openssl="$libraries" --with-zlib="$libraries" --enable-http --enable-proxy --enable-ipv6 \
        --enable-threaded-resolver $(prefixed --disable- $curl_without) $(prefixed --without- $curl_not_with) LIBS=-lpthread
    quietly make -j "$jobs" -C lib
    install_library lib/.libs/libcurl.a
    mkdir -p "$libraries/include/curl"
    install -m 644 include/curl/*.h "$libraries/include/curl"
    describe libcurl "$(version_of curl)" -lcurl 'libssl zlib'
}

build_pcre2() {
    unpack pcre2
    autotools --disable-jit --disable-pcre2grep-libz --disable-pcre2grep-libbz2
    quietly make -j "$jobs" libpcre2-8.la
    install_library .libs/libpcre2-8.a
    install -m 644 src/pcre2.h "$libraries/include"
    describe libpcre2-8 "$(version_of pcre2)" -lpcre2-8
}

# The amalgamation is made by programs of this machine (with tclsh), then compiled for the other.
build_sqlite3() {
    unpack sqlite3
    quietly ./configure --disable-tcl --disable-readline
    quietly make sqlite3.c
    quietly coras-cc $optimise -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_DEFAULT_MEMSTATUS=0 \
        -DSQLITE_OMIT_SHARED_CACHE -DSQLITE_OMIT_PROGRESS_CALLBACK -c sqlite3.c
    coras-ar rcs libsqlite3.a sqlite3.o
    install_library libsqlite3.a
    install -m 644 sqlite3.h "$libraries/include"
    describe sqlite3 "$(version_of sqlite3)" -lsqlite3
}

# Without https: that would be GnuTLS and five libraries under it.
build_libmicrohttpd() {
    unpack libmicrohttpd
    autotools --disable-https --disable-doc --disable-examples --disable-curl --disable-dauth --disable-bauth \
        --disable-postprocessor --disable-httpupgrade --with-threads=posix
    quietly make -j "$jobs" -C src/microhttpd libmicrohttpd.la
    install_library src/microhttpd/.libs/libmicrohttpd.a
    install -m 644 src/include/microhttpd.h "$libraries/include"
    describe libmicrohttpd "$(version_of libmicrohttpd)" '-lmicrohttpd -lpthread'
}

# what_makes LIBRARY: all that its bytes depend on. A mark with the same text says that it is built.
what_makes() {
    grep "^$1 " "$static/sources"
    [ "$1" != curl ] || grep -E '^(openssl|zlib) ' "$static/sources"
    grep -v '^#' "$static/compiler.txt"
    printf '%s\n' "$optimise"
    sed -n "/^build_$1()/,/^}/p; /^autotools()/,/^}/p" "$static/libraries.sh"
}

# All of them, each once, and anew when its sources, the compiler or the way to build it have changed; those that others
# stand on come first.
build_libraries() {
    fetch_sources
    mkdir -p "$libraries/include" "$libraries/lib" "$libraries/done"
    for library in zlib libzstd openssl curl pcre2 sqlite3 libmicrohttpd; do
        what_makes "$library" | cmp -s - "$libraries/done/$library" && continue
        say "building $library for $arch"
        rm -f "$libraries/done/$library"
        (build_$library)
        what_makes "$library" >"$libraries/done/$library"
        rm -rf "$libraries.work/$library"
    done
}
