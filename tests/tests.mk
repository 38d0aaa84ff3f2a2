# Tests. Each folder of tests/ with .c files makes one criterion program,
# $(O)/tests/<folder>, linked with everything of the project but the main()s:
# tests may use inner names. fuzz/ and bench/ have rules of their own.

.PHONY: test check run-tests tidy layers format format-check golden fuzz contract \
        headers run-fuzz size soak run-soak mutants run-mutants

NOTESTS   := support fuzz bench golden setup examples
TESTSRC   := $(wildcard tests/*/*.c tests/*/*/*.c)
TESTDIRS  := $(filter-out $(NOTESTS) $(NOTESTS:=/%),\
               $(sort $(patsubst tests/%/,%,$(dir $(TESTSRC)))))
TESTS      = $(foreach d,$(TESTDIRS),$(O)/tests/$(subst /,-,$(d)))
FUZZERS   := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAYS    = $(FUZZERS:%=$(O)/tests/fuzz-%)
# What has no threads is not run again under TSan.
ifeq ($(VARIANT),tsan)
TESTDIRS  := $(filter-out codegen,$(TESTDIRS))
FUZZERS   := $(filter-out codegen,$(FUZZERS))
PROGRAMS  := $(filter-out %/protoc-gen-rpcrt,$(PROGRAMS))
endif
TESTOBJ   := $(call obj,$(filter-out tests/bench/% tests/examples/% tests/golden/%,$(TESTSRC)))
TESTLIBS  := -lcriterion $(LIBS_kvd) $(LIBS_petctl) $(LIBS)
SANOBJ    := $(O)/obj/tests/support/sanitizers.o
NOMAIN     = $(filter-out %/main.o,$(1))

$(TESTOBJ): | $(GENH) $(DESCH) $(NNGLIB)

# Without transport/ for fuzzers: it needs nng, they do no I/O.
PURE      := $(filter-out $(O)/obj/rpcrt/transport/%,$(RPCRT))
INSIDE    := $(call NOMAIN,$(SERVE)) $(COMMON) $(CLI) \
             $(call genobj,$(STEMS),$(GENEXT)) \
             $(filter-out $(SANOBJ),$(call NOMAIN,$(filter $(O)/obj/tests/support/%,$(TESTOBJ))))
$(O)/obj/inside.a $(O)/obj/pure.a $(O)/obj/codegen.a: $(O)/sources tests/tests.mk
$(O)/obj/inside.a: $(RPCRT) $(ADMIN) $(INSIDE)
	$(ARCHIVE)
$(O)/obj/pure.a: $(PURE) $(call genobj,$(filter-out $(GEN)/bench/%,$(STEMS)),pb-c rpc) \
  $(filter $(O)/obj/tests/support/faulty%,$(TESTOBJ))
	$(ARCHIVE)
$(O)/obj/codegen.a: $(call NOMAIN,$(CODEGEN)) $(call genobj,$(DESC),pb-c)
	$(ARCHIVE)

define TEST
$(O)/tests/$(subst /,-,$(1)): $(filter $(O)/obj/tests/$(1)/%,$(TESTOBJ)) \
  $(SANOBJ) $(if $(filter codegen,$(1)),$(O)/obj/codegen.a) $(O)/obj/inside.a $(NNGLIB)
	$$(call PROGRAM,$(TESTLIBS))
endef
$(foreach d,$(TESTDIRS),$(eval $(call TEST,$(d))))

# The proxy between clients and servers, a program of its own.
RPCPROXY  := $(O)/bin/rpcproxy
$(RPCPROXY): $(filter $(O)/obj/tests/support/proxy/%,$(TESTOBJ)) \
  $(call genobj,$(GEN)/support/proxy,pb-c rpc server) $(O)/obj/common.a $(LIB).a
	$(PROGRAM)

# A fuzzer is run by libFuzzer, or replays its corpus as a test.
$(REPLAYS): $(O)/tests/fuzz-%: $(O)/obj/tests/fuzz/fuzz_%.o $(O)/obj/tests/fuzz/replay.o \
  $(O)/obj/codegen.a $(O)/obj/pure.a
	$(PROGRAM)
$(O)/fuzz/%: $(O)/obj/tests/fuzz/fuzz_%.o $(O)/obj/codegen.a $(O)/obj/pure.a
	$(call PROGRAM,-fsanitize=fuzzer)

RUNENV := BUILD='$(BUILD)' O='$(O)' VARIANT='$(VARIANT)' PLUGIN='$(O)/bin/protoc-gen-rpcrt' \
          KVD='$(O)/bin/kvd' KVCTL='$(O)/bin/kvctl' \
          PAYMENTD='$(O)/bin/paymentd' PAYCTL='$(O)/bin/payctl' \
          PETSTORED='$(O)/bin/petstored' PETCTL='$(O)/bin/petctl' \
          RPCCTL='$(O)/bin/rpcctl' RPCPROXY='$(RPCPROXY)' \
          GOLDEN=tests/golden

# The first example of the README is built against an installation.
HERE := $(abspath $(BUILD))/prefix
test: ## install what is missing, build with sanitizers, run every test
	$(Q)sh .ci/install build test
	$(AGAIN) VARIANT=release PREFIX='$(HERE)' install
	$(AGAIN) VARIANT=$(if $(filter command% environment%,$(origin VARIANT)),$(VARIANT),asan) run-tests \
	    MORE='"readme=sh tests/setup/readme.sh $(HERE)" "demo=sh tests/setup/demo.sh $$(O)/bin" \
	        "demo-kv=sh tests/setup/demo_kv.sh $$(O)/bin" \
	        "through-proxy=sh tests/setup/through_proxy.sh $$(O)/tests/contract-rpc"'
run-tests: $(PROGRAMS) $(RPCPROXY) $(TESTS) $(REPLAYS)
	$(Q)$(RUNENV) sh tests/setup/run.sh $(TESTS) $(REPLAYS) $(MORE)

soak: ## the same claims for longer: purchases under SOAK_FAULTS=200 faults
	$(Q)sh .ci/install build test
	$(AGAIN) VARIANT=asan run-soak
run-soak: $(PROGRAMS) $(O)/tests/purchase
	$(Q)$(RUNENV) PURCHASE_FAULTS=$(or $(SOAK_FAULTS),200) TEST_TIMEOUT=3600 \
	    sh tests/setup/run.sh $(O)/tests/purchase

mutants: ## break the sale of a pet on purpose: the purchase tests must notice
	$(Q)sh .ci/install build test
	$(AGAIN) VARIANT=asan run-mutants
run-mutants: $(PROGRAMS) $(O)/tests/purchase
	$(Q)$(RUNENV) sh tests/setup/mutants.sh $(BUILD) $(O)/tests/purchase $(MUTANT)

check: ## tests under TSan, layers, format, clang-tidy; warnings are errors
	$(Q)sh .ci/install build test check
	+$(Q)MAKE='$(MAKE)' JOBS='$(JOBS)' sh tests/setup/check.sh
layers: ## includes go one way
	$(Q)sh tests/setup/layers.sh

OWN := $(sort $(wildcard $(foreach d,codegen rpcrt services clients tests,$(foreach e,c h,\
         $(d)/*.$(e) $(d)/*/*.$(e) $(d)/*/*/*.$(e) $(d)/*/*/*/*.$(e)))))
OWN := $(filter-out tests/golden/%,$(OWN))
format: ## lay out the C files
	$(Q)clang-format-14 -i $(OWN)
format-check:
	$(Q)bad=0; for f in $(OWN); do clang-format-14 $$f | cmp -s - $$f || \
	    { echo "$$f: run make format"; bad=1; }; done; exit $$bad
tidy: $(GENH) $(DESCH) $(NNGLIB)
	$(Q)printf '%s\n' $(filter-out tests/bench/% tests/examples/%,$(filter %.c,$(OWN))) | xargs -P$(JOBS) -n2 sh tests/setup/tidy.sh \
	    $(CPPFLAGS) -std=c11 -Irpcrt -I. -Iservices -Iclients -Icodegen -Itests \
	    -isystem $(O)/nng/include $(filter-out -Werror,$(WARN)) --
headers: $(GENH) ## public headers compile alone, as C11 and as C++17
	$(Q)sh tests/setup/headers.sh $(GEN) '$(CC) $(CPPFLAGS:-isystem=-I) $(WARN)'

golden: $(PLUGIN) ## write the expected output of the plugin anew
	$(Q)PLUGIN=$(PLUGIN) sh tests/golden/update.sh

fuzz: ## run each fuzzer for FUZZ_SECONDS=60
	$(Q)sh .ci/install build test fuzz
	$(AGAIN) VARIANT=fuzz CC=clang run-fuzz
run-fuzz: $(FUZZERS:%=$(O)/fuzz/%)
	$(Q)sh tests/setup/fuzz.sh $(or $(FUZZ_SECONDS),60) $^

contract: ## SERVICE=kv TARGET=ADDRESS: judge whoever serves there
	$(Q)test -n '$(SERVICE)' -a -n '$(TARGET)' || \
	    { echo 'contract: make contract SERVICE=kv TARGET=ADDRESS' >&2; exit 2; }
	$(Q)sh .ci/install build test
	$(AGAIN) $(O)/tests/contract-$(SERVICE)
	$(Q)CONTRACT_TARGET='$(TARGET)' $(O)/tests/contract-$(SERVICE)
