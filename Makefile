# rpcrt: RPC for plain C. `make help` lists what can be made.
# All output goes to $(BUILD); VARIANT=release|asan|tsan|fuzz chooses how.

BUILD    ?= build
VARIANT  ?= release
PREFIX   ?= /usr/local
NNG      ?= patched
PROTOC   ?= protoc
PROTO    ?= /usr/include
GRPCPROTO ?= /usr/share/grpc-proto
CFLAGS   ?=
LDFLAGS  ?=
ifeq ($(origin CC),default)
CC       := gcc
endif

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.PHONY: FORCE all install uninstall demo demo-kv run certs format layers clean help

O    := $(BUILD)/$(VARIANT)
GEN  := $(BUILD)/gen

SAN_release := -O2 -ffunction-sections -fdata-sections
SAN_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
               -fno-omit-frame-pointer
SAN_tsan    := -O1 -fsanitize=thread -fno-omit-frame-pointer
SAN_fuzz    := $(SAN_asan) -fsanitize=fuzzer-no-link
SAN         := $(or $(SAN_$(VARIANT)),$(error no VARIANT '$(VARIANT)'))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla -Wformat=2 \
        -Wcast-qual -Wcast-align -Wwrite-strings -Wstrict-prototypes \
        -Wmissing-prototypes -Wold-style-definition -Wnull-dereference
ifeq ($(WERROR),1)
WARN += -Werror
endif
CPPFLAGS += -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Irpcrt/include -isystem $(GEN)
BASE     := -std=c11 -g -fPIC -pthread -fvisibility=hidden -fno-common \
            -fstack-protector-strong
DEFS_release := -Wl,-z,defs
LINK     := -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(DEFS_$(VARIANT))
CMD       = $(CC) $(CPPFLAGS) $(BASE) $(SAN) $(WARN) $(CFLAGS)

# nng is Debian's source with our fixes, or the distribution's library.
ifeq ($(NNG),system)
$(warning NNG=system: the stock library goes deaf after aborted connections)
NNGSYS   := -lnng
else
NNGLIB   := $(O)/nng/lib/libnng.a
endif
LIBS     := $(NNGSYS) -lprotobuf-c -lmbedtls -lmbedx509 -lmbedcrypto
LIBS_kvd       := -llmdb -lsodium -lz
LIBS_paymentd  := -lsodium
LIBS_petstored := -lsodium
LIBS_kvctl     := -lsodium
LIBS_payctl    := -lsodium
LIBS_petctl    := -ljansson

Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2:$(BUILD)/%=%)')

# -- sources --------------------------------------------------------------------

SERVICES := $(patsubst services/%/main.c,%,$(wildcard services/*/main.c))
CLIENTS  := $(filter-out rpcrt,$(notdir $(wildcard idl/*)))
obj       = $(patsubst %.c,$(O)/obj/%.o,$(sort $(1)))
RPCRT    := $(call obj,$(filter-out rpcrt/admin/%,$(wildcard rpcrt/*/*.c rpcrt/*/*/*.c)))
ADMIN    := $(call obj,$(wildcard rpcrt/admin/*.c))
CODEGEN  := $(call obj,$(wildcard codegen/*.c))
COMMON   := $(call obj,$(wildcard services/common/*.c))
SERVE    := $(filter-out $(COMMON),$(call obj,$(wildcard services/*/*.c)))
# A tool is clients/X.c with an X ending in ctl, and clients/X_*.c.
TOOLS    := $(patsubst clients/%.c,%,$(wildcard clients/*ctl.c))
toolobj   = $(call obj,$(wildcard clients/$(1).c clients/$(1)_*.c))
TOOLOBJ  := $(foreach t,$(TOOLS),$(call toolobj,$(t)))
CLI      := $(filter-out $(TOOLOBJ),$(call obj,$(wildcard clients/*.c)))
PROGRAMS := $(SERVICES:%=$(O)/bin/%d) $(TOOLS:%=$(O)/bin/%) $(O)/bin/protoc-gen-rpcrt

include codegen/rules.mk

# -- objects: made again when the command line changes; archives with the list ----

STAMP_flags   = $(CMD) $(SELDOM)
STAMP_sources = $(sort $(ALLOBJ))
$(O)/flags $(O)/sources: $(O)/%: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(STAMP_$*))' | cmp -s - $@ || echo '$(subst ','\'',$(STAMP_$*))' >$@
define COMPILE
$(call say,CC,$@)
$(Q)mkdir -p $(@D)
$(Q)$(CMD) $(1) -MD -MP -c -o $@ $<
endef
$(O)/obj/%.o: %.c $(O)/flags
	$(COMPILE)
$(O)/obj/gen/%.o: $(GEN)/%.c $(O)/flags | $(GENH)
	$(COMPILE)
$(O)/obj/gen/%.pb-c.o: $(GEN)/%.pb-c.c $(O)/flags
	$(call COMPILE,-w -fvisibility=default)

# What a folder may include besides the public headers and generated code.
$(O)/obj/rpcrt/%.o:               CPPFLAGS += -Irpcrt
$(O)/obj/rpcrt/transport/nng/%.o: CPPFLAGS += -isystem $(O)/nng/include
# Much code that seldom runs.
SELDOM := $(filter $(patsubst %,$(O)/obj/rpcrt/%.o,wire/json_% wire/types% wire/details% \
            core/print client/config% client/resolve client/target client/connector \
            client/details server/details server/run interceptors/% \
            $(patsubst %,transport/nng/%,address error listen tls_config tls_identity tls_pem \
            tls_text tls_verify)),$(RPCRT))
$(SELDOM): SAN += $(if $(filter release,$(VARIANT)),-Os)
# Calls no code of others but an allocator: only debuggers unwind it, and they have
# tables of their own.
$(filter $(O)/obj/rpcrt/wire/json_%.o $(O)/obj/rpcrt/wire/types%.o $(O)/obj/rpcrt/client/config%.o \
  $(O)/obj/rpcrt/transport/nng/tls_%.o,$(SELDOM)): \
  SAN += $(if $(filter release,$(VARIANT)),-fno-asynchronous-unwind-tables)
$(O)/obj/services/%.o:            CPPFLAGS += -Iservices
$(O)/obj/tests/%.o:               CPPFLAGS += -Irpcrt -I. -Iservices -Iclients \
                                    -Icodegen -Itests -isystem $(O)/nng/include

$(filter $(O)/obj/rpcrt/transport/nng/%,$(RPCRT)): | $(NNGLIB)
$(ADMIN) $(SERVE) $(COMMON) $(TOOLOBJ) $(CLI): | $(GENH)
$(call toolobj,rpcctl): | $(DESCH)
$(CODEGEN): | $(DESCH)

$(O)/nng/lib/libnng.a: $(wildcard rpcrt/transport/nng/*.sh) $(wildcard rpcrt/transport/nng/patches/*)
	$(call say,NNG,$@)
	$(Q)sh rpcrt/transport/nng/build.sh $(BUILD) $(VARIANT) $(CC)
	@touch $@

# -- libraries --------------------------------------------------------------------

VERSION := $(shell sed -n 's/.*RPCRT_VERSION_TEXT "\(.*\)"/\1/p' rpcrt/include/rpcrt/api.h)
MAJOR   := $(firstword $(subst ., ,$(VERSION)))
LIB     := $(O)/lib/librpcrt

define ARCHIVE
$(call say,AR,$@)
$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)
endef
# Addresses in tables take little room in the file (glibc 2.36).
RELR_release := -Wl,-z,pack-relative-relocs
define SHARED
$(call say,LINK,$@)
$(Q)mkdir -p $(@D)
$(Q)$(CC) -shared $(SAN) $(LINK) $(RELR_$(VARIANT)) -Wl,-soname,$(@F:$(VERSION)=$(MAJOR)) $(LDFLAGS) \
    -o $@ $(filter %.o,$^) $(1)
$(Q)ln -sf $(@F) $(@:$(VERSION)=$(MAJOR)) && ln -sf $(@F) $(@:.$(VERSION)=)
endef
# One object with nng inside: its only global symbols are the public ones, and
# what none of them reaches is left out.
GC_release := -Wl,--gc-sections,--gc-keep-exported
$(O)/obj/librpcrt.o: $(RPCRT) $(NNGLIB) $(O)/sources
	$(call say,LINK,$@)
	$(Q)$(CC) -nostdlib -r $(GC_$(VARIANT)) -o $@.tmp $(filter %.o %.a,$^)
	$(Q)objcopy --localize-hidden $@.tmp $@ && rm $@.tmp
$(LIB).a: $(O)/obj/librpcrt.o
	$(ARCHIVE)
$(LIB).so.$(VERSION): $(O)/obj/librpcrt.o
	$(call SHARED,$(LIBS))

# A client library a service, all of it generated.
stems     = $(filter $(GEN)/$(1)/%,$(IDLSTEMS))
records   = $(filter-out $(IDLSTEMS),$(filter $(GEN)/$(1)/%,$(STEMS)))
genobj    = $(foreach s,$(1),$(2:%=$(s:$(GEN)/%=$(O)/obj/gen/%).%.o))
define CLIENT
$(LIB)-$(1).a: $(call genobj,$(call stems,$(1)),pb-c rpc client)
	$$(ARCHIVE)
$(LIB)-$(1).so.$(VERSION): $(call genobj,$(call stems,$(1)),pb-c rpc client) | $(LIB).so.$(VERSION)
	$$(call SHARED,-L$(O)/lib -lrpcrt -lprotobuf-c)
endef
$(foreach c,$(CLIENTS),$(eval $(call CLIENT,$(c))))

# Health and reflection. What is generated for it stays inside, so that programs
# can have their own.
$(O)/obj/librpcrt-admin.o: $(ADMIN) $(call genobj,$(ADMINSTEMS),$(GENEXT)) $(O)/sources
	$(call say,LINK,$@)
	$(Q)$(CC) -nostdlib -r -o $@.tmp $(filter %.o,$^)
	$(Q)objcopy --wildcard --keep-global-symbol='rpcrt_health_*' \
	    --keep-global-symbol='rpcrt_reflection_*' $@.tmp $@ && rm $@.tmp
$(LIB)-admin.a: $(O)/obj/librpcrt-admin.o
	$(ARCHIVE)
$(LIB)-admin.so.$(VERSION): $(O)/obj/librpcrt-admin.o | $(LIB).so.$(VERSION)
	$(call SHARED,-L$(O)/lib -lrpcrt -lprotobuf-c)
ALIBS   := $(CLIENTS:%=$(LIB)-%.a) $(LIB)-admin.a $(LIB).a

# -- programs ---------------------------------------------------------------------

define PROGRAM
$(call say,LINK,$@)
$(Q)mkdir -p $(@D)
$(Q)$(CC) $(SAN) $(LINK) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
    $(LIBS_$(@F)) $(LIBS) $(1)
endef
# A daemon takes of common/ what it uses.
$(O)/obj/common.a: $(COMMON) $(call genobj,$(call records,common),pb-c) $(O)/sources
	$(ARCHIVE)
define DAEMON
$(O)/bin/$(1)d: $(filter $(O)/obj/services/$(1)/%,$(SERVE)) \
  $(call genobj,$(call stems,$(1)),server) $(call genobj,$(call records,$(1)),pb-c) \
  $(O)/obj/common.a $(ALIBS)
	$$(PROGRAM)
endef
$(foreach s,$(SERVICES),$(eval $(call DAEMON,$(s))))
define TOOL
$(O)/bin/$(1): $(call toolobj,$(1)) $(CLI) $(ALIBS)
	$$(PROGRAM)
endef
$(foreach t,$(TOOLS),$(eval $(call TOOL,$(t))))
$(O)/bin/rpcctl: $(call genobj,$(ADMINSTEMS),pb-c) $(call genobj,$(firstword $(DESC)),pb-c)
$(O)/bin/protoc-gen-rpcrt: $(CODEGEN) $(call genobj,$(DESC),pb-c)
	$(PROGRAM)

# -- targets ----------------------------------------------------------------------

JOBS  := $(shell nproc 2>/dev/null || echo 1)
AGAIN  = +$(Q)$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))

all: $(ALIBS) $(ALIBS:.a=.so.$(VERSION)) $(PROGRAMS) ## libraries, plugin, servers and command-line tools

include tests/tests.mk tests/bench/bench.mk

install: all ## to $(DESTDIR)$(PREFIX)
	$(Q)sh tests/setup/install.sh '$(O)' '$(GEN)' '$(DESTDIR)' '$(PREFIX)' '$(VERSION)' '$(CLIENTS)'
uninstall: ## what install put there
	$(Q)sh tests/setup/install.sh --undo '$(DESTDIR)' '$(PREFIX)' '$(CLIENTS)'
demo: ## build, then show a pet shop of three processes at work, and a crash
	$(Q)sh .ci/install build
	$(AGAIN) all
	$(Q)sh tests/setup/demo.sh $(O)/bin
demo-kv: ## the same of its key-value server alone
	$(Q)sh .ci/install build
	$(AGAIN) all
	$(Q)sh tests/setup/demo_kv.sh $(O)/bin
run: ## build, then keep a pet shop open until Ctrl-C, and say what to try
	$(Q)sh .ci/install build
	$(AGAIN) all
	$(Q)sh tests/setup/play.sh $(O)/bin
certs: ## development certificates in $(BUILD)/certs
	$(Q)sh tests/support/certs.sh $(BUILD)/certs
clean: ## remove $(BUILD)
	$(Q)rm -rf $(BUILD)
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile tests/tests.mk tests/bench/bench.mk | \
	    awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

ALLOBJ  += $(RPCRT) $(ADMIN) $(CODEGEN) $(COMMON) $(SERVE) $(TOOLOBJ) $(CLI) $(TESTOBJ) \
           $(call genobj,$(STEMS),$(GENEXT))
-include $(wildcard $(ALLOBJ:.o=.d))
