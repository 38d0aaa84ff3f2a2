# The benchmark: subjects, their driver, and Debian's gRPC C++ and redis to
# compare with. BENCH_PETS: how many the shop's large catalogue has (100000).

.PHONY: bench run-bench

BENCH_SECONDS ?= 1
BENCH_ROUNDS  ?= 3
BENCHD := $(BUILD)/bench
BENCHO := $(call obj,$(wildcard tests/bench/*.c))
SHARE  := $(patsubst %,$(O)/obj/tests/bench/%.o,subject load allocs)
DRIVER := $(patsubst %,$(O)/obj/tests/bench/%.o,bench process figures results table redis \
              stream_bench shop_bench shop_stack shop_count shop_table)
BUYER  := $(patsubst %,$(O)/obj/tests/bench/%.o,shop shop_client shop_pets shop_buy shop_list)
METER  := $(O)/obj/tests/bench/meter.o
SUBJECTS := $(patsubst %,$(BENCHD)/%,nng rpcrt kv grpc shop stream_nng stream_rpcrt stream_grpc)
BENCH_SERVERS := $(patsubst %,$(O)/bin/%,kvd paymentd petstored)
LIBS_bench := -lsodium
ALLOBJ += $(BENCHO)

bench: ## echo and stream beside nng and gRPC C++, kv beside redis, the shop; BENCH=shop BENCH_SECONDS= BENCH_ROUNDS=
	$(Q)sh .ci/install build bench
	$(AGAIN) run-bench
run-bench: $(BENCHD)/bench $(SUBJECTS) $(BENCH_SERVERS)
	$(Q)sh tests/support/certs.sh $(BENCHD)/certs
	$(Q)$< $(BENCHD) $(O)/bin $(BENCH_SECONDS) $(BENCH_ROUNDS) \
	    $(BENCHD)/results.json $(BENCH)

$(patsubst %,$(O)/obj/tests/bench/%.o,rpcrt stream_rpcrt kv) $(BUYER): | $(GENH)
$(patsubst %,$(O)/obj/tests/bench/%.o,nng stream_nng): | $(NNGLIB)
$(BENCHD)/bench: $(DRIVER)
	$(PROGRAM)
$(BENCHD)/nng: $(O)/obj/tests/bench/nng.o $(SHARE) $(NNGLIB)
	$(PROGRAM)
$(BENCHD)/rpcrt: $(O)/obj/tests/bench/rpcrt.o $(SHARE) \
  $(call genobj,$(GEN)/bench/echo,$(GENEXT)) $(LIB).a
	$(PROGRAM)
$(BENCHD)/stream_nng: $(O)/obj/tests/bench/stream_nng.o $(METER) $(SHARE) $(NNGLIB)
	$(PROGRAM)
$(BENCHD)/stream_rpcrt: $(O)/obj/tests/bench/stream_rpcrt.o $(METER) $(SHARE) \
  $(call genobj,$(GEN)/bench/echo,$(GENEXT)) $(LIB).a
	$(PROGRAM)
$(BENCHD)/kv: $(O)/obj/tests/bench/kv.o $(SHARE) $(ALIBS)
	$(PROGRAM)

$(BENCHD)/shop: $(BUYER) $(SHARE) $(ALIBS)
	$(PROGRAM)

# gRPC's own stubs of the same .proto.
ECHOPB := $(foreach e,pb grpc.pb,$(BENCHD)/gen/bench/echo.$(e).cc) \
          $(BENCHD)/gen/rpcrt/v1/options.pb.cc
$(ECHOPB) &: tests/bench/echo.proto $(OPTIONS)
	$(call say,GEN,$<)
	$(Q)mkdir -p $(BENCHD)/gen
	$(Q)$(PROTOC) -Iidl -Itests -I$(PROTO) --cpp_out=$(BENCHD)/gen --grpc_out=$(BENCHD)/gen \
	    --plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) bench/echo.proto rpcrt/v1/options.proto
$(BENCHD)/stream_grpc: $(METER)
$(BENCHD)/grpc $(BENCHD)/stream_grpc: $(BENCHD)/%: tests/bench/%.cc $(ECHOPB) $(SHARE)
	$(call say,CXX,$@)
	$(Q)$(CXX) -std=c++17 -O2 -g -Wall -Wextra -Itests -I$(BENCHD)/gen -o $@ $(filter %.cc %.o,$^) \
	    -lgrpc++ -lgrpc -lgpr -lprotobuf -labsl_synchronization -pthread
